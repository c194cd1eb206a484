"""The doctor sees what would make the source slow, or the agent dangerous to it."""

from __future__ import annotations

from hospital_agent.sections import BulkConfig
from hospital_agent.source import checkup
from hospital_agent.source.engine import SourceLink, make_engine
from hospital_agent.source.idle import IdleTime
from tests.hospital_agent.mariadb_his import OldHis
from tests.hospital_agent.small_his import Switch, always_idle, run


def advice(idle: IdleTime, **config: str) -> dict[str, str]:
    return {found.name: found.advice for found in checkup.examine(idle, BulkConfig(**config)) if found.advice}  # type: ignore[arg-type]


def test_an_account_that_may_write_is_warned_of(small: SourceLink) -> None:
    run(small, "INSERT INTO qs VALUES ('1', '1', NULL, 1, 'settled', NULL, '2026-11-21')")
    found = list(checkup.examine(always_idle(small), BulkConfig()))
    assert [(f.name, f.warning) for f in found if f.advice] == [("source rights", True)]
    assert {"source visit", "source bill", "source fee_line", "source own"} <= {f.name for f in found}


def test_an_account_that_only_reads_by_indexes_is_well(old: SourceLink) -> None:
    assert advice(always_idle(old)) == {}


def test_mariadb_rights_are_seen(old: SourceLink, old_his: OldHis) -> None:
    old_his.run(f"GRANT INSERT ON {old_his.name}.t_qszz TO {old_his.name}; REVOKE PROCESS ON *.* FROM {old_his.name}")
    old.engine.dispose()
    assert advice(always_idle(old)) == {
        "source sessions": "the account cannot count them: GRANT PROCESS ON *.*",
        "source rights": "this account may write: give it one that may only read",
    }


def test_a_busy_query_that_answers_nothing_is_named(old: SourceLink) -> None:
    assert "busy_query answers no number" in advice(always_idle(old), busy_query="SELECT NULL")["source sessions"]


def test_rows_of_a_busy_source_are_left_alone(old: SourceLink) -> None:
    busy = IdleTime(old, Switch(idle=False), Switch(), ask_every_s=1)
    assert list(advice(busy)) == ["source rows"]


def test_a_pull_that_no_index_serves_is_named_with_its_columns(small: SourceLink) -> None:
    run(
        small,
        "INSERT INTO jz SELECT n, 'P' || n, '内科', '1', '2026-11-01', NULL, NULL FROM generate_series(6, 20000) n;"
        "INSERT INTO mx SELECT 'X', n, '药', 1, 1, 1 FROM generate_series(1, 20000) n;"
        "ANALYZE jz; ANALYZE mx",
    )
    assert advice(always_idle(small))["index for visit"] == "a waiting patient's pull reads whole tables: jz for brid"
    run(small, "CREATE INDEX ON jz (brid)")
    assert "index for visit" not in advice(always_idle(small))


def test_the_same_on_mariadb(old: SourceLink, old_his: OldHis) -> None:
    old_his.run(
        "ALTER TABLE t_dzpj DROP KEY i_djh; INSERT INTO t_dzpj"
        " SELECT 1000 + seq, 'H-02', seq, '1', '11060126', seq, 'a1b2c3', '20261101', '1' FROM seq_1_to_20000;"
        "ANALYZE TABLE t_dzpj"
    )
    told = "a waiting patient's pull reads whole tables: t_dzpj for jgdm, djh"
    assert advice(always_idle(old))["index for e_bill"] == told


def test_a_source_that_is_away_is_named_everywhere(small: SourceLink) -> None:
    away = SourceLink(make_engine("postgresql://nobody@127.0.0.1:1/none"), small.mapping, small.parameters)
    found = advice(always_idle(away))
    assert found["source visit"] == "cannot be read: source_unreachable"
    assert found["source rights"] == "cannot be asked for: source_unreachable"


def test_a_query_that_fails_is_named_with_its_kind_and_a_time_that_is_none_with_its_row(small: SourceLink) -> None:
    run(small, "ALTER TABLE mx DROP mc; UPDATE jz SET kssj = 'infinity' WHERE jzh = 2")
    told = advice(always_idle(small))
    assert told["source fee_line"] == "cannot be read: source_query_failed (UndefinedColumn)"
    assert told["source visit"] == "1 of the first 5 rows cannot be sent: started_at: not a date or time"


def test_a_ledger_whose_day_is_not_found_is_named(small: SourceLink) -> None:
    run(small, "ALTER TABLE qs ALTER ywrq TYPE text")
    assert advice(always_idle(small))["source own"].startswith("no row yet")
    run(small, "INSERT INTO qs VALUES ('1', '1', NULL, 1, 'settled', NULL, '2026-11-21')")
    assert "source own" not in advice(always_idle(small))
    run(small, "INSERT INTO qs VALUES ('2', '1', NULL, 1, 'settled', NULL, '20261122')")
    assert "1 of 2 days are not found by ywrq" in advice(always_idle(small))["source own"]
    run(small, "UPDATE qs SET ywrq = '21.11.2026'")
    assert "ywrq: not a date or time" in advice(always_idle(small))["source own"]
    run(small, "UPDATE qs SET ywrq = NULL")
    assert "ywrq: no date" in advice(always_idle(small))["source own"]


def test_rows_that_the_platform_would_refuse_are_named(small: SourceLink) -> None:
    run(small, "UPDATE jz SET ks = '' WHERE jzh = 1; UPDATE jsd SET rq = NULL WHERE jsdh = 'B2'")
    told = advice(always_idle(small))
    assert told["source visit"] == "1 of the first 5 rows cannot be sent: department_name: missing"
    assert told["source bill"] == "1 of the first 5 rows cannot be sent: billed_on: missing"
    assert told["source fee_line"] == "1 of the first 5 rows cannot be sent: at: missing"
