-- before each transaction
SET SESSION TRANSACTION READ ONLY;
SET SESSION max_execution_time = 1000, lock_wait_timeout = 1;
-- sessions of others at work
SELECT CASE WHEN EXISTS (SELECT 1 FROM information_schema.user_privileges
                          WHERE privilege_type = 'PROCESS' AND replace(grantee, '''', '') = current_user())
       THEN (SELECT count(*) FROM information_schema.processlist
              WHERE command NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID')
                AND user NOT IN ('system user', 'event_scheduler', substring_index(user(), '@', 1))) END;
-- may the account write?
SELECT count(*) FROM (
    SELECT grantee, privilege_type FROM information_schema.user_privileges
    UNION ALL SELECT grantee, privilege_type FROM information_schema.schema_privileges
    UNION ALL SELECT grantee, privilege_type FROM information_schema.table_privileges) AS p
WHERE privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND replace(grantee, '''', '') = current_user();
-- first load
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz AS s ORDER BY s.xgsj, s.jzlsh;
-- what changed, by day param_1=2026-11-21
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz AS s
WHERE s.xgsj >= %s ORDER BY s.xgsj, s.jzlsh;
-- what changed, by night param_1=2026-11-21
SELECT s.jzlsh, s.brid, s.jzlx, s.ksmc, s.ysxm, s.kssj, s.jssj, s.xgsj
FROM t_mzjz AS s
WHERE s.xgsj >= %s OR s.xgsj IS NULL ORDER BY s.xgsj, s.jzlsh;
-- first window of a table param_1=20000
SELECT s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) AS s ORDER BY s.jgdm, s.djh, s.xh
 LIMIT %s;
-- next window of a table param_1=H-01 param_2=H-01 param_3=40 param_4=H-01 param_5=40 param_6=7 param_7=20000
SELECT s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) AS s
WHERE s.jgdm > %s OR s.jgdm = %s AND s.djh > %s OR s.jgdm = %s AND s.djh = %s AND s.xh > %s ORDER BY s.jgdm, s.djh, s.xh
 LIMIT %s;
-- newest rows of one patient param_1=0000000001 param_2=25
SELECT s.jgdm, s.djh, s.jzlsh, s.brid, s.zje, s.tcje, s.zhje, s.zfje, s.zt, s.jsrq, s.sfsj, s.xgsj
FROM t_sfjsd AS s
WHERE s.brid = %s ORDER BY s.xgsj DESC, s.jgdm DESC, s.djh DESC
 LIMIT %s;
-- one bill by its columns param_1=H-01 param_2=40 param_3=200
SELECT s.jgdm, s.djh, s.jzlsh, s.brid, s.zje, s.tcje, s.zhje, s.zfje, s.zt, s.jsrq, s.sfsj, s.xgsj
FROM t_sfjsd AS s
WHERE s.jgdm = %s AND s.djh = %s
 LIMIT %s;
-- its lines param_1=H-01 param_2=40 param_3=H-02 param_4=40 param_5=198
SELECT s.jgdm, s.djh, s.xh, s.lb, s.bm, s.mc, s.dj, s.sl, s.je, s.fssj, s.brid
FROM (SELECT jgdm, djh, xh, brid, lb, bm, CAST(mc AS BINARY) AS mc, dj, sl, je, fssj FROM t_sfmx) AS s
WHERE s.jgdm = %s AND s.djh = %s OR s.jgdm = %s AND s.djh = %s
 LIMIT %s;
-- one person param_1=110101199003070011 param_2=200
SELECT s.brid, s.xm, s.zjlx, s.zjhm, s.sjh, s.csrq, s.xb, s.swbz
FROM t_brxx AS s
WHERE s.zjhm IN (%s)
 LIMIT %s;
-- a row to see how days are told param_1=1
SELECT s.ywrq
FROM t_qszz AS s
WHERE s.ywrq IS NOT NULL ORDER BY s.ywrq DESC
 LIMIT %s;
-- a day of the ledger param_1=20261121 param_2=20261122
SELECT s.qsh, s.lx, s.je, s.zt, s.sj, s.ywrq
FROM t_qszz AS s
WHERE s.ywrq >= %s AND s.ywrq < %s;
