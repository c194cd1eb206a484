-- A hospital on MariaDB with what old systems have: pinyin names, codes of one character, yuan as text, dates as eight
-- digits, keys of several columns, and GBK text declared (ysxm), as bytes (ksmc), and in a column that claims to be
-- Latin-1 (mc). 40 patients, 200 visits with a bill of 10 lines each, but bill 40, of patient 0000000001, has 450.
CREATE TABLE t_brxx (brid char(10) PRIMARY KEY, xm varbinary(40), zjlx char(1), zjhm varchar(20), sjh varchar(20),
    csrq char(8), xb char(1), swbz char(1), KEY i_zjhm (zjhm)) ENGINE=InnoDB;
CREATE TABLE t_mzjz (jzlsh int PRIMARY KEY, brid char(10), ksmc varbinary(60), ysxm varchar(20) CHARACTER SET gbk,
    jzlx char(1), kssj datetime, jssj datetime, xgsj datetime, KEY i_brid (brid), KEY i_xgsj (xgsj)) ENGINE=InnoDB;
CREATE TABLE t_sfjsd (jgdm char(4), djh int, jzlsh int, brid char(10), zje varchar(12), tcje varchar(12),
    zhje varchar(12), zfje varchar(12), zt char(1), jsrq char(8), sfsj datetime, xgsj datetime,
    PRIMARY KEY (jgdm, djh), KEY i_brid (brid), KEY i_xgsj (xgsj)) ENGINE=InnoDB;
CREATE TABLE t_sfmx (jgdm char(4), djh int, xh int, brid char(10), lb char(1), bm varchar(20),
    mc varchar(120) CHARACTER SET latin1, dj varchar(16), sl decimal(12,4), je varchar(12), fssj datetime,
    PRIMARY KEY (jgdm, djh, xh), KEY i_brid (brid)) ENGINE=InnoDB;
CREATE TABLE t_dzpj (pjid int PRIMARY KEY, jgdm char(4), djh int, brid char(10), pjdm char(8), pjhm char(10),
    jym char(6), kprq char(8), zt char(1), KEY i_brid (brid), KEY i_djh (jgdm, djh)) ENGINE=InnoDB;
CREATE TABLE t_qszz (qsh varchar(24) PRIMARY KEY, lx char(1), je varchar(12), zt char(1), sj datetime, ywrq char(8),
    KEY i_ywrq (ywrq)) ENGINE=InnoDB;
INSERT INTO t_brxx SELECT lpad(seq, 10, '0'), CAST(CONVERT('欧阳小明' USING gbk) AS BINARY), '1',
    concat('11010119900307', lpad(seq, 4, '0')), '13800000000', '19900307', '1', '' FROM seq_1_to_40;
INSERT INTO t_mzjz SELECT seq, lpad(1 + seq % 40, 10, '0'), CAST(CONVERT('内科' USING gbk) AS BINARY), '王医生',
    if(seq = 40, '2', '1'), '2026-11-01 08:00:00' + INTERVAL seq MINUTE, NULL,
    '2026-11-01 08:00:00' + INTERVAL seq MINUTE FROM seq_1_to_200;
INSERT INTO t_sfjsd SELECT 'H-01', jzlsh, jzlsh, brid, '0', '0', '0', '0', '1', '20261101', kssj, xgsj FROM t_mzjz;
INSERT INTO t_sfmx SELECT b.jgdm, b.djh, s.seq, b.brid, '1', concat('YP', s.seq),
    CAST(CAST(CONVERT('阿莫西林胶囊' USING gbk) AS BINARY) AS CHAR CHARACTER SET latin1), '12.500000', 2.0000, '25.00',
    b.xgsj FROM t_sfjsd b JOIN seq_1_to_450 s
    ON s.seq <= if(b.djh = 40, 450, 10);
UPDATE t_sfjsd b SET zje = (SELECT cast(sum(je) AS decimal(12, 2)) FROM t_sfmx m WHERE m.jgdm = b.jgdm AND m.djh = b.djh);
UPDATE t_sfjsd SET zfje = zje;
INSERT INTO t_qszz SELECT concat('202611', 20 + seq, '00000000', seq, '00'), '1', '12.50', '1', '2026-11-20 23:00:00'
    + INTERVAL seq DAY, concat('202611', 20 + seq) FROM seq_1_to_2;
INSERT INTO t_dzpj SELECT djh, jgdm, djh, brid, '11060126', lpad(djh, 10, '0'), 'a1b2c3', '20261101', '1' FROM t_sfjsd;
