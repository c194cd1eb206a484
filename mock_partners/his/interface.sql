-- Tables of the hospital's registration interface and of the small systems that stand beside every HIS: booking,
-- registration, cashier, e-bill platform, claims counter, laboratory and record archive. One schema per hospital.
-- Naive times are local (Asia/Shanghai), amounts are yuan.

CREATE TABLE gh_hy (            -- 号源: slots
    hyid text PRIMARY KEY, ysid text NOT NULL, ksid text NOT NULL,
    kssj timestamp NOT NULL, jssj timestamp NOT NULL,
    xhs int NOT NULL, yghs int NOT NULL DEFAULT 0 CHECK (yghs BETWEEN 0 AND xhs),
    ghf numeric(10,2) NOT NULL, zt char(1) NOT NULL DEFAULT '1',  -- 1 出诊 0 停诊
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE TABLE gh_yy (            -- 预约: appointments of the WeChat channel
    yyh text PRIMARY KEY, hyid text NOT NULL REFERENCES gh_hy, xm text NOT NULL, zjhm text NOT NULL, sjh text NOT NULL,
    ybkh text,                                                    -- 医保卡号; none: 自费
    zt char(1) NOT NULL DEFAULT '1',                              -- 1 已约 9 取消 2 已就诊
    jzlsh text UNIQUE, jg jsonb, djsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE TABLE br_jdsq (          -- 建档申请: registrations in order of arrival
    xh bigint GENERATED ALWAYS AS IDENTITY, sqh text PRIMARY KEY, nr text NOT NULL, brid text NOT NULL,
    djsj timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE br_hmd (zjhm text PRIMARY KEY, yy text NOT NULL);    -- 黑名单
CREATE TABLE sf_jstz (          -- 结算通知: what the platform told about settlements
    jsbh text PRIMARY KEY, jsdh text NOT NULL, nr text NOT NULL, zt char(1) NOT NULL DEFAULT '1',
    djsj timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE sf_szz (           -- 收支账: the cashier's own book, what the patient bore per bill
    jsdh text PRIMARY KEY, brid text NOT NULL, grzf numeric(14,2) NOT NULL,
    zt char(1) NOT NULL,                                          -- 1 已收 2 已退 0 未收 3 作废
    jzsj timestamp NOT NULL
);
CREATE TABLE gt_lp (            -- 柜台理赔登记: claims entered at the counter
    qsh text PRIMARY KEY, jsdh text, lx char(1) NOT NULL DEFAULT '1', yqsh text,
    je numeric(14,2) NOT NULL, zt char(1) NOT NULL, ywrq date NOT NULL, djsj timestamp NOT NULL
);
CREATE INDEX ON gt_lp (ywrq);
CREATE TABLE sf_dzpj (          -- 电子票据
    pjid text PRIMARY KEY, jsdh text NOT NULL, brid text NOT NULL, pjdm text NOT NULL, pjhm text NOT NULL,
    jym text NOT NULL, kjrq date NOT NULL, zt char(1) NOT NULL DEFAULT '1',   -- 1 正常 2 已红冲
    hz char(64) NOT NULL,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE UNIQUE INDEX ON sf_dzpj (pjdm, pjhm);
CREATE INDEX ON sf_dzpj (brid);
CREATE INDEX ON sf_dzpj (jsdh);
CREATE INDEX ON sf_dzpj (xgsj);
CREATE TABLE jc_bg (            -- 检查检验报告
    bgid text PRIMARY KEY, jzlsh text NOT NULL, brid text NOT NULL, bglx char(1) NOT NULL,   -- 1 检验 2 影像 9 其他
    bt text NOT NULL, jg text NOT NULL, bgsj timestamp NOT NULL,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE INDEX ON jc_bg (brid);
CREATE INDEX ON jc_bg (xgsj);
CREATE TABLE bl_wd (            -- 病历文书
    wdid text PRIMARY KEY, jzlsh text NOT NULL, brid text NOT NULL, wdlx char(1) NOT NULL,   -- 1 门诊病历 2 出院小结
    bt text NOT NULL, zw text NOT NULL,
    xgsj timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')
);
CREATE INDEX ON bl_wd (brid);
CREATE INDEX ON bl_wd (xgsj);
CREATE TABLE mock_people (      -- the double's own notes, no part of the HIS: who exists and which case each one shows
    brid text PRIMARY KEY, xh int NOT NULL, body jsonb NOT NULL
);
CREATE TABLE mock_altered (xh int GENERATED ALWAYS AS IDENTITY, sj text NOT NULL, body jsonb NOT NULL);
