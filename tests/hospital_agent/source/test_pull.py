"""A waiting patient's rows are read at once, and only these."""

from __future__ import annotations

import json
import time

import pytest

from hospital_agent.errors import Temporary
from hospital_agent.sections import PullConfig
from hospital_agent.source.engine import SourceLink
from hospital_agent.source.pull import Pace, PatientLane, Pulled
from hospital_agent.store.spool import Spool
from tests.hospital_agent.small_his import run


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
    PatientLane(small, spool, PullConfig(max_rows=1)).patient("P2")
    assert "visit 5" in rows(spool)


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
