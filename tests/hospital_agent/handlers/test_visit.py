"""What a hospital's agent answers when an insurer asks for visits."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from hospital_agent.handlers.visit import VisitReader
from hospital_agent.mapping.model import RECORD
from hospital_agent.sections import PullConfig
from hospital_agent.source.engine import SourceLink
from hospital_agent.source.pull import PatientLane
from hospital_agent.store.commands import Answer
from hospital_agent.store.spool import Spool
from tests.hospital_agent.handlers.kit import Site, ask
from tests.hospital_agent.small_his import run


def reader(small: SourceLink, spool: Spool, max_rows: int = 200) -> VisitReader:
    return VisitReader(small.mapping, PatientLane(small, spool, PullConfig(max_rows=max_rows)))


def read(visits: VisitReader, *keys: str, patient_no: str = "P2", **how: Any) -> Answer:
    body = {"patient_no": patient_no, "visit_keys": list(keys), "types": list(RECORD)} | how
    return ask(visits.handlers(), "read_visit", **body)


def names(answer: Answer) -> list[str]:
    return [f"{row['type']} {row['key']}" for row in answer.body["rows"]]


def test_the_visits_that_are_asked_for_and_no_other_of_the_patient(small: SourceLink, spool: Spool) -> None:
    answer = read(reader(small, spool), "2")
    assert answer.outcome == "done" and answer.body["complete"] is True
    assert names(answer) == ["visit 2", "bill B2", "fee_line B2-1"]
    bill = answer.body["rows"][1]["data"]
    assert (bill["total_fen"], bill["visit_key"], bill["patient_no"]) == (2002, "2", "P2")
    assert spool.next_unsent() is None, "what one insurer asks is answered to the exchange and pushed to nobody"


def test_only_the_types_that_are_asked_for(small: SourceLink, spool: Spool) -> None:
    assert names(read(reader(small, spool), "2", "5", types=["visit"])) == ["visit 2", "visit 5"]
    assert names(read(reader(small, spool), "2", types=["bill"])) == ["bill B2"]


@pytest.mark.parametrize(
    ("patient_no", "keys", "code"),
    [
        ("P1", ["2"], "visit_not_of_patient"),
        ("P2", ["2", "3"], "visit_not_of_patient"),
        ("P2", ["99"], "visit_unknown"),
    ],
)
def test_another_s_visit_is_refused(
    small: SourceLink, spool: Spool, patient_no: str, keys: list[str], code: str
) -> None:
    answer = read(reader(small, spool), *keys, patient_no=patient_no)
    assert (answer.outcome, answer.code, answer.body) == ("refused", code, {})


def test_what_is_too_much_is_cut_and_says_so(small: SourceLink, spool: Spool) -> None:
    answer = read(reader(small, spool, max_rows=2), "2", "5")
    assert (names(answer), answer.body["complete"]) == (["visit 2", "visit 5"], False)


@pytest.mark.parametrize("max_rows", range(1, 9))
def test_all_readings_of_one_answer_share_one_budget(small: SourceLink, spool: Spool, max_rows: int) -> None:
    read_rows = 0

    def count(*said: Any) -> None:
        nonlocal read_rows
        read_rows += max(said[0].rowcount, 0)

    sa.event.listen(small.engine, "after_cursor_execute", lambda connection, cursor, *_: count(cursor))
    answer = read(reader(small, spool, max_rows), "2", "5")
    assert len(names(answer)) <= read_rows <= max_rows
    assert answer.body["complete"] is (max_rows > 6), "two visits, their bills and lines"


def test_a_source_that_is_broken_is_asked_again(small: SourceLink, spool: Spool) -> None:
    run(small, "DROP TABLE mx")
    assert read(reader(small, spool), "2").outcome == "failed"


def test_a_hospital_s_whole_visit(site: Site) -> None:
    attended = site.attend()
    visits = VisitReader(site.source.mapping, PatientLane(site.source, site.spool, PullConfig()))
    answer = read(visits, attended["visit_key"], patient_no=site.person()["patient_no"])
    assert answer.outcome == "done"
    assert {"visit", "diagnosis", "bill", "fee_line"} <= {row["type"] for row in answer.body["rows"]}
    lines = [row["data"]["amount_fen"] for row in answer.body["rows"] if row["type"] == "fee_line"]
    assert sum(lines) == attended["total_fen"]
