-- before each transaction
SET TRANSACTION READ ONLY;
-- sessions of others at work
SELECT count(*) FROM v$session
WHERE type = 'USER' AND status = 'ACTIVE' AND username <> SYS_CONTEXT('USERENV', 'SESSION_USER');
-- may the account write?
SELECT (SELECT count(*) FROM session_privs
         WHERE privilege IN ('INSERT ANY TABLE', 'UPDATE ANY TABLE', 'DELETE ANY TABLE'))
     + (SELECT count(*) FROM user_tab_privs
         WHERE privilege IN ('INSERT', 'UPDATE', 'DELETE') AND grantee = SYS_CONTEXT('USERENV', 'SESSION_USER'))
FROM dual;
-- first load
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz s ORDER BY s.xgsj, s.jzlsh;
-- what changed, by day param_1=2026-11-21
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz s
WHERE s.xgsj >= :param_1 ORDER BY s.xgsj, s.jzlsh;
-- what changed, by night param_1=2026-11-21
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz s
WHERE s.xgsj >= :param_1 OR s.xgsj IS NULL ORDER BY s.xgsj, s.jzlsh;
-- first window of a table
SELECT s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) s ORDER BY s.jgdm, s.djh, s.xh
 FETCH FIRST 20000 ROWS ONLY;
-- next window of a table param_1=H-01 param_2=H-01 param_3=40 param_4=H-01 param_5=40 param_6=7
SELECT s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) s
WHERE s.jgdm > :param_1 OR s.jgdm = :param_2 AND s.djh > :param_3 OR s.jgdm = :param_4 AND s.djh = :param_5 AND s.xh > :param_6 ORDER BY s.jgdm, s.djh, s.xh
 FETCH FIRST 20000 ROWS ONLY;
-- newest rows of one patient param_1=0000000001
SELECT s.jgdm, s.djh, s.jzlsh, s.brid, s.zje, s.tcje, s.zhje, s.zfje, s.zt, s.jsrq, s.sfsj, s.xgsj
FROM t_sfjsd s
WHERE s.brid = :param_1 ORDER BY s.xgsj DESC, s.jgdm DESC, s.djh DESC
 FETCH FIRST 25 ROWS ONLY;
-- one bill by its columns param_1=H-01 param_2=40
SELECT s.jgdm, s.djh, s.jzlsh, s.brid, s.zje, s.tcje, s.zhje, s.zfje, s.zt, s.jsrq, s.sfsj, s.xgsj
FROM t_sfjsd s
WHERE s.jgdm = :param_1 AND s.djh = :param_2
 FETCH FIRST 200 ROWS ONLY;
-- its lines param_1=H-01 param_2=40 param_3=H-02 param_4=40
SELECT s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) s
WHERE s.jgdm = :param_1 AND s.djh = :param_2 OR s.jgdm = :param_3 AND s.djh = :param_4
 FETCH FIRST 198 ROWS ONLY;
-- one person param_1=110101199003070011
SELECT s.brid, s.xm, s.zjlx, s.zjhm, s.sjh, s.csrq, s.xb, s.swbz
FROM t_brxx s
WHERE s.zjhm IN (:param_1)
 FETCH FIRST 200 ROWS ONLY;
-- a row to see how days are told
SELECT s.ywrq
FROM t_qszz s
WHERE s.ywrq IS NOT NULL ORDER BY s.ywrq DESC
 FETCH FIRST 1 ROWS ONLY;
-- a day of the ledger param_1=20261121 param_2=20261122
SELECT s.qsh, s.lx, s.je, s.zt, s.sj, s.ywrq
FROM t_qszz s
WHERE s.ywrq >= :param_1 AND s.ywrq < :param_2;
