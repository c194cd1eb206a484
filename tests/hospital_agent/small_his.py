"""A small hospital database with a mapping of its own, for tests of the reader that want to see every oddity."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from hospital_agent.mapping import reader
from hospital_agent.source.engine import SourceLink, make_engine
from hospital_agent.source.idle import IdleTime

TABLES = """
CREATE TABLE jz (jzh int PRIMARY KEY, brid text, ks text, lx char(1), kssj timestamp, jssj timestamp, xgsj timestamp);
CREATE TABLE jsd (jsdh text PRIMARY KEY, jzh int, brid text, zje numeric, jj numeric, zh numeric, zf numeric,
                  zt text, rq date, jssj timestamptz);
CREATE TABLE mx (jsdh text, xh int, mc text, dj numeric, sl numeric, je numeric, PRIMARY KEY (jsdh, xh));
CREATE TABLE qs (qsh text, lx text, yqsh text, je numeric, zt text, sj timestamp, ywrq date);
INSERT INTO jz SELECT n, 'P' || n % 3, '内科', '1', '2026-11-01 08:00', NULL,
                      timestamp '2026-11-01' + n * interval '1 s'
  FROM generate_series(1, 5) n;
INSERT INTO jsd SELECT 'B' || n, n, 'P' || n % 3, 10.01 * n, 4.00, 1.00, 10.01 * n - 5, '2', '2026-11-01', NULL
  FROM generate_series(1, 5) n;
INSERT INTO mx SELECT 'B' || n, 1, '阿莫西林', 10.010000, n, 10.01 * n FROM generate_series(1, 5) n;
"""

MAPPING = """
[source]
name = "small"

[entities.visit]
table = "jz"
key = ["jzh"]
patient = "brid"
changed = "xgsj"
overlap_s = 1
[entities.visit.fields]
patient_no = "brid"
kind = { column = "lx", codes = { "1" = "outpatient", "2" = "inpatient" } }
campus = { null = true }
department_name = "ks"
doctor_name = { null = true }
started_at = { column = "kssj", as = "time" }
ended_at = { column = "jssj", as = "time" }
booked_in_wechat = { value = false }
appointment_no = { null = true }

[entities.bill]
sql = "SELECT jsdh, jzh, brid, zje, jj, zh, zf, zt, rq, jssj FROM jsd"
key = ["jsdh"]
patient = "brid"
[entities.bill.fields]
visit_key = "jzh"
patient_no = "brid"
bill_no = "jsdh"
total_fen = { column = "zje", as = "fen" }
fund_fen = { column = "jj", as = "fen" }
account_fen = { column = "zh", as = "fen" }
self_pay_fen = { column = "zf", as = "fen" }
status = { column = "zt", codes = { "1" = "unsettled", "2" = "settled", "3" = "refunded" } }
billed_on = { column = "rq", as = "date" }
settled_at = { column = "jssj", as = "time" }

[entities.fee_line]
sql = "SELECT m.jsdh, m.xh, m.mc, m.dj, m.sl, m.je, b.brid, b.rq FROM mx m JOIN jsd b ON b.jsdh = m.jsdh"
key = ["jsdh", "xh"]
patient = "brid"
[entities.fee_line.fields]
bill_key = "jsdh"
line_no = { column = "xh", as = "int" }
category = { value = "drug" }
code = "mc"
code_system = { value = "local" }
code_edition = { value = "unstated" }
name = "mc"
insurance_code = { null = true }
unit_price = { column = "dj", as = "decimal", places = 6 }
quantity = { column = "sl", as = "decimal", places = 4 }
amount_fen = { column = "je", as = "fen" }
insurance_class = { null = true }
at = { column = "rq", as = "time" }

[ledger.borne]
sql = "SELECT jsdh, zje - jj AS borne, zt, jssj FROM jsd"
key = ["jsdh"]
[ledger.borne.fields]
amount_fen = { column = "borne", as = "fen" }
status = { column = "zt", codes = { "1" = "unsettled", "2" = "settled", "3" = "refunded" } }
at = { column = "jssj", as = "time" }

[ledger.own]
table = "qs"
business_date = "ywrq"
key = ["qsh"]
[ledger.own.fields]
clearing_no = "qsh"
kind = { column = "lx", codes = { "1" = "pay", "2" = "reverse" } }
original_clearing_no = "yqsh"
amount_fen = { column = "je", as = "fen" }
status = "zt"
at = { column = "sj", as = "time" }
"""

DAY = date(2026, 11, 21)


class Switch:
    """A probe that a test turns."""

    def __init__(self, *, idle: bool = True) -> None:
        self.idle, self.asked = idle, 0

    def is_idle(self) -> bool:
        self.asked += 1
        return self.idle


def always_idle(source: SourceLink) -> IdleTime:
    return IdleTime(source, Switch(), Switch(), ask_every_s=1.0)


def parameters() -> Mapping[str, Any]:
    return {"business_date": DAY}


def with_schema(database_url: str) -> str:
    """A URL on a new schema of the database, whose tables are found without naming it."""
    schema = f"small_{uuid.uuid4().hex[:12]}"
    url = f"{database_url}?options=-csearch_path%3D{schema}"
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    engine.dispose()
    return url


def open_small(database_url: str, folder: Path, *, fill: bool = True) -> SourceLink:
    """The small hospital as a source; its tables are made unless `fill` is false."""
    path = folder / "small.mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    link = SourceLink(make_engine(database_url), reader.load(path), parameters)
    if fill:
        run(link, TABLES)
    return link


def run(link: SourceLink, statements: str) -> None:
    """Change the hospital's tables as the hospital does."""
    with link.engine.begin() as connection:
        for statement in statements.split(";"):
            if statement.strip():
                connection.execute(sa.text(statement))
