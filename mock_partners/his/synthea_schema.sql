-- Our own small tables beside a Synthea sample, which knows neither identity numbers nor phones. interface.sql stands
-- beside them. One schema per hospital.

CREATE TABLE yq (organization_id text PRIMARY KEY);              -- 院区: the organisations that are this hospital's campuses
CREATE TABLE br_zj (            -- 证件
    brid text PRIMARY KEY, xm text NOT NULL, zjlx text NOT NULL DEFAULT 'id_card', zjhm text NOT NULL UNIQUE,
    sjh text NOT NULL, ybkh text, jhrxm text, jhrzjhm text, jhrsjh text
);
