-- The built-in HIS of a Chinese hospital; the tables of interface.sql stand beside it. One schema per hospital.
-- Naive times are local (Asia/Shanghai), amounts are yuan. xgsj is the row's last change.

CREATE TABLE sys_ks (ksid text PRIMARY KEY, ksmc text NOT NULL, yqmc text NOT NULL);                    -- 科室
CREATE TABLE sys_ys (ysid text PRIMARY KEY, ysxm text NOT NULL, zc text NOT NULL, ksid text NOT NULL REFERENCES sys_ks);
CREATE TABLE dict_sfxm (        -- 收费项目
    xmbm text PRIMARY KEY, xmmc text NOT NULL, xmlb char(1) NOT NULL,  -- 1 药品 2 诊疗 3 服务 4 材料
    ybbm text, yblb text, dj numeric(14,6) NOT NULL
);
CREATE TABLE br_jbxx (          -- 病人基本信息
    brid text PRIMARY KEY, xm text NOT NULL, xb char(1) NOT NULL, csrq date NOT NULL,
    zjlx text NOT NULL DEFAULT '01', zjhm text NOT NULL, sjh text NOT NULL, ybkh text,
    jhrxm text, jhrzjhm text, jhrsjh text, swrq date,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE UNIQUE INDEX ON br_jbxx (zjhm);
CREATE SEQUENCE br_xh START 900001;
CREATE TABLE jz_jl (            -- 就诊记录
    jzlsh text PRIMARY KEY, brid text NOT NULL REFERENCES br_jbxx, jzlx char(1) NOT NULL,   -- 1 门诊 2 住院
    ksid text NOT NULL REFERENCES sys_ks, ysid text NOT NULL REFERENCES sys_ys,
    kssj timestamp NOT NULL, jssj timestamp, yyh text,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE INDEX ON jz_jl (brid);
CREATE INDEX ON jz_jl (xgsj);
CREATE TABLE jz_zd (            -- 就诊诊断
    jzlsh text NOT NULL REFERENCES jz_jl, xh int NOT NULL, brid text NOT NULL, zdbm text NOT NULL, zdmc text NOT NULL,
    zyzd char(1) NOT NULL, zdlb char(1) NOT NULL,                      -- 1 门诊 2 入院 3 出院
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai'),
    PRIMARY KEY (jzlsh, xh)
);
CREATE INDEX ON jz_zd (brid);
CREATE INDEX ON jz_zd (xgsj);
CREATE TABLE jz_ss (            -- 手术操作
    jzlsh text NOT NULL REFERENCES jz_jl, xh int NOT NULL, brid text NOT NULL, ssbm text NOT NULL, ssmc text NOT NULL,
    sssj timestamp NOT NULL,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai'),
    PRIMARY KEY (jzlsh, xh)
);
CREATE INDEX ON jz_ss (brid);
CREATE INDEX ON jz_ss (xgsj);
CREATE TABLE sf_jsd (           -- 结算单
    jsdh text PRIMARY KEY, jzlsh text NOT NULL REFERENCES jz_jl, brid text NOT NULL,
    zje numeric(14,2) NOT NULL, tczf numeric(14,2) NOT NULL DEFAULT 0, zhzf numeric(14,2) NOT NULL DEFAULT 0,
    grzf numeric(14,2) NOT NULL DEFAULT 0, zt char(1) NOT NULL,       -- 0 未结 1 已结 2 已退
    zdrq date NOT NULL, jssj timestamp,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE INDEX ON sf_jsd (brid);
CREATE INDEX ON sf_jsd (xgsj);
CREATE TABLE sf_mx (            -- 费用明细
    jsdh text NOT NULL REFERENCES sf_jsd, xh int NOT NULL, brid text NOT NULL, xmbm text NOT NULL REFERENCES dict_sfxm,
    dj numeric(14,6) NOT NULL, sl numeric(12,4) NOT NULL, je numeric(14,2) NOT NULL, fyrq timestamp NOT NULL,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai'),
    PRIMARY KEY (jsdh, xh)
);
CREATE INDEX ON sf_mx (brid);
CREATE INDEX ON sf_mx (xgsj);
