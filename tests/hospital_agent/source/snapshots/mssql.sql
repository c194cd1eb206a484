-- before each transaction
SET LOCK_TIMEOUT 1000;
-- sessions of others at work
SELECT CASE WHEN HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') = 1
       THEN (SELECT count(*) FROM sys.dm_exec_requests r JOIN sys.dm_exec_sessions s ON s.session_id = r.session_id
              WHERE s.is_user_process = 1 AND r.status IN ('running', 'runnable', 'suspended')
                AND s.original_login_name <> ORIGINAL_LOGIN()) END;
-- may the account write?
SELECT HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'INSERT') + HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'UPDATE')
     + HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'DELETE');
-- first load
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz AS s ORDER BY s.xgsj, s.jzlsh;
-- what changed, by day param_1=2026-11-21
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz AS s
WHERE s.xgsj >= :param_1 ORDER BY s.xgsj, s.jzlsh;
-- what changed, by night param_1=2026-11-21
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz AS s
WHERE s.xgsj >= :param_1 OR s.xgsj IS NULL ORDER BY s.xgsj, s.jzlsh;
-- first window of a table
SELECT TOP 20000 s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) AS s ORDER BY s.jgdm, s.djh, s.xh;
-- next window of a table param_2=H-01 param_3=H-01 param_4=40 param_5=H-01 param_6=40 param_7=7
SELECT TOP 20000 s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) AS s
WHERE s.jgdm > :param_2 OR s.jgdm = :param_3 AND s.djh > :param_4 OR s.jgdm = :param_5 AND s.djh = :param_6 AND s.xh > :param_7 ORDER BY s.jgdm, s.djh, s.xh;
-- newest rows of one patient param_2=0000000001
SELECT TOP 25 s.jgdm, s.djh, s.jzlsh, s.brid, s.zje, s.tcje, s.zhje, s.zfje, s.zt, s.jsrq, s.sfsj, s.xgsj
FROM t_sfjsd AS s
WHERE s.brid = :param_2 ORDER BY s.xgsj DESC, s.jgdm DESC, s.djh DESC;
-- one bill by its columns param_2=H-01 param_3=40
SELECT TOP 200 s.jgdm, s.djh, s.jzlsh, s.brid, s.zje, s.tcje, s.zhje, s.zfje, s.zt, s.jsrq, s.sfsj, s.xgsj
FROM t_sfjsd AS s
WHERE s.jgdm = :param_2 AND s.djh = :param_3;
-- its lines param_2=H-01 param_3=40 param_4=H-02 param_5=40
SELECT TOP 198 s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) AS s
WHERE s.jgdm = :param_2 AND s.djh = :param_3 OR s.jgdm = :param_4 AND s.djh = :param_5;
-- one person param_2=110101199003070011
SELECT TOP 200 s.brid, s.xm, s.zjlx, s.zjhm, s.sjh, s.csrq, s.xb, s.swbz
FROM t_brxx AS s
WHERE s.zjhm IN (:param_2);
-- a row to see how days are told
SELECT TOP 1 s.ywrq
FROM t_qszz AS s
WHERE s.ywrq IS NOT NULL ORDER BY s.ywrq DESC;
-- a day of the ledger param_1=20261121 param_2=20261122
SELECT s.qsh, s.lx, s.je, s.zt, s.sj, s.ywrq
FROM t_qszz AS s
WHERE s.ywrq >= :param_1 AND s.ywrq < :param_2;
