"""A waiting patient's rows are read at once, and only these."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from hospital_agent.errors import Temporary
from hospital_agent.sections import PullConfig
from hospital_agent.source.engine import SourceLink
from hospital_agent.source.pull import Pace, PatientLane, Pulled
from hospital_agent.store.spool import Spool
from tests.hospital_agent.small_his import open_small, run, with_schema

OLD_TYPES = ("visit", "bill", "fee_line")


def rows(spool: Spool) -> list[str]:
    batch = spool.next_unsent()
    assert batch is not None
    spool.accepted(batch.batch_no)
    return [f"{row['type']} {row['key']}" for row in json.loads(batch.rows)]


def test_one_patient_with_everything_and_nobody_else(small: SourceLink, spool: Spool) -> None:
    lane = PatientLane(small, spool, PullConfig())
    assert lane.patient("P2") == Pulled([1])
    assert sorted(rows(spool)) == sorted(["visit 5", "visit 2", "bill B2", "bill B5", "fee_line B2-1", "fee_line B5-1"])
    assert lane.patient("P2") == Pulled([])
    assert lane.patient("nobody") == Pulled([])


def test_a_pull_brings_the_newest_rows_when_there_are_too_many(small: SourceLink, spool: Spool) -> None:
    run(small, "INSERT INTO mx SELECT 'B2', n, '葡萄糖', 1, 1, 1 FROM generate_series(2, 300) n")
    pulled = PatientLane(small, spool, PullConfig()).patient("P2")
    found = rows(spool)
    assert (len(found), pulled.complete) == (200, False)
    assert {"visit 5", "visit 2", "bill B5", "bill B2", "fee_line B5-1", "fee_line B2-300"} <= set(found)
    assert spool.incomplete() == ["P2"]


@pytest.mark.parametrize("max_rows", [1, 2, 3, 4, 5, 6])
def test_no_pull_is_over_its_budget(small: SourceLink, spool: Spool, max_rows: int) -> None:
    pulled = PatientLane(small, spool, PullConfig(max_rows=max_rows)).patient("P2")
    assert len(rows(spool)) <= max_rows
    assert not pulled.complete or max_rows == 6


def test_a_bill_of_many_lines_is_read_as_far_as_a_pull_may(small: SourceLink, spool: Spool) -> None:
    run(small, "INSERT INTO mx SELECT 'B2', n, '葡萄糖', 1, 1, 1 FROM generate_series(2, 300) n")
    pulled = PatientLane(small, spool, PullConfig()).bill("B2")
    found = rows(spool)
    assert (len(found), pulled.complete, spool.incomplete()) == (200, False, ["P2"])
    assert {"visit 2", "bill B2"} <= set(found)


def test_a_key_of_several_columns_is_found_whatever_its_parts_look_like(old: SourceLink, spool: Spool) -> None:
    """H-01-7 is hospital H-01 and number 7: "01-7" is no number."""
    assert PatientLane(old, spool, PullConfig()).bill("H~101-7") == Pulled([1])
    found = rows(spool)
    assert found[:2] == ["visit 7", "bill H~101-7"]
    assert len(found) == 13
    assert PatientLane(old, spool, PullConfig()).bill("H~101-none") == Pulled([])


def test_old_encodings_texts_and_dates_become_ours(old: SourceLink, spool: Spool) -> None:
    PatientLane(old, spool, PullConfig()).bill("H~101-7")
    batch = spool.next_unsent()
    assert batch is not None
    visit, bill, line = (next(r["data"] for r in json.loads(batch.rows) if r["type"] == t) for t in OLD_TYPES)
    assert (visit["department_name"], visit["doctor_name"], line["name"]) == ("内科", "王医生", "阿莫西林胶囊")
    assert (bill["total_fen"], bill["self_pay_fen"], bill["billed_on"]) == (25_000, 25_000, "2026-11-01")
    assert (line["unit_price"], line["quantity"], line["amount_fen"]) == ("12.500000", "2.0000", 2_500)
    assert line["at"] == "2026-11-01T00:07:00Z"


def test_a_replica_is_asked_for_patients_and_the_source_for_a_settled_bill(
    small: SourceLink, spool: Spool, source_database: str, tmp_path: Path
) -> None:
    replica = open_small(with_schema(source_database), tmp_path)
    run(replica, "UPDATE jz SET ks = '副本'")
    lane = PatientLane(small, spool, PullConfig(), replica.engine)
    lane.patient("P2")
    batch = spool.next_unsent()
    assert batch is not None and '"副本"' in batch.rows
    rows(spool)
    lane.bill("B2")
    batch = spool.next_unsent()
    assert batch is not None and '"内科"' in batch.rows
    replica.engine.dispose()


def test_a_replica_that_lags_does_not_undo_what_was_just_sent(
    small: SourceLink, spool: Spool, source_database: str, tmp_path: Path
) -> None:
    replica = open_small(with_schema(source_database), tmp_path)
    run(small, "UPDATE jsd SET zt = '3' WHERE jsdh = 'B2'")
    PatientLane(small, spool, PullConfig()).bill("B2")
    rows(spool)
    PatientLane(small, spool, PullConfig(), replica.engine).patient("P2")
    assert "bill B2" not in rows(spool)
    PatientLane(small, spool, PullConfig(replica_lag_s=-5), replica.engine).patient("P2")
    assert rows(spool) == ["bill B2"], "older than the replica can be behind"
    replica.engine.dispose()


def test_one_bill_with_its_visit_and_lines(small: SourceLink, spool: Spool) -> None:
    lane = PatientLane(small, spool, PullConfig())
    assert lane.bill("B3") == Pulled([1])
    assert rows(spool) == ["visit 3", "bill B3", "fee_line B3-1"]
    run(small, "UPDATE jsd SET zt = '3' WHERE jsdh = 'B3'")
    lane.bill("B3")
    assert rows(spool) == ["bill B3"]
    assert lane.bill("nothing") == Pulled([])


def test_a_slow_statement_is_cut_off(small: SourceLink, spool: Spool) -> None:
    run(
        small,
        "ALTER TABLE jz RENAME TO jz_base;CREATE VIEW jz AS SELECT b.* FROM jz_base b, (SELECT pg_sleep(300)) s",
    )
    started_s = time.monotonic()
    with pytest.raises(Temporary, match="source_slow"):
        PatientLane(small, spool, PullConfig(statement_timeout_ms=100)).patient("P2")
    assert time.monotonic() - started_s < 100


def test_a_broken_query_is_a_temporary_failure_that_shows_no_values(small: SourceLink, spool: Spool) -> None:
    run(small, "DROP TABLE jz")
    with pytest.raises(Temporary, match="source_query_failed") as caught:
        PatientLane(small, spool, PullConfig()).patient("secret-number")
    assert "secret-number" not in str(caught.value.__cause__)


def test_pulls_are_paced() -> None:
    pace = Pace(per_second=100)
    started_s = time.monotonic()
    for _ in range(5):
        pace.wait()
    assert time.monotonic() - started_s >= 0.04


def test_who_would_wait_too_long_is_turned_away() -> None:
    pace = Pace(per_second=0.1, patience_s=1)
    pace.wait()
    with pytest.raises(Temporary, match="pull_rate"):
        pace.wait()
        pace.wait()
