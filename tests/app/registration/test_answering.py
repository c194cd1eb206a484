"""Whose failure it was: an outage costs nobody the place, an entry's own failures do."""

from __future__ import annotations

from typing import Any

import pytest

from app.registration.rules import TRIES_IN_PLACE
from tests.app.registration.kit import Line
from tests.app.registration.test_service import documents

NOTHING_LEFT = {"outcome": "failed", "code": "his_unreachable"}
PROXY = {"outcome": "failed", "code": "his_503"}
SILENT = {"outcome": "failed", "code": "his_timeout"}
BUSY = {"outcome": "failed", "code": "his_busy"}


@pytest.mark.parametrize("how", [NOTHING_LEFT, PROXY, SILENT, BUSY], ids=lambda how: how["code"])
def test_an_outage_costs_nobody_the_place(line: Line, m: Any, how: dict[str, str]) -> None:
    m(3)
    patients = line.enter(5)
    for _ in range(TRIES_IN_PLACE + 2):
        line.poll()
        line.answer(lambda _: dict(how))
        line.rest_is_over()
    assert not [patient for patient in patients if line.shown(patient)["stepped_aside"]]
    seen: list[str] = []
    for _ in range(3):
        line.poll()
        seen += line.answer()
    assert seen == documents(patients)


@pytest.mark.parametrize("how", [SILENT, BUSY, PROXY], ids=lambda how: how["code"])
def test_who_alone_fails_while_others_are_served_steps_aside(line: Line, m: Any, how: dict[str, str]) -> None:
    m(2)
    patients = line.enter(TRIES_IN_PLACE + 3)
    for _ in range(TRIES_IN_PLACE + 1):
        line.poll()
        line.answer(lambda c: dict(how) if c["body"]["document_no"] == patients[0].document_no else {"outcome": "done"})
        line.rest_is_over()
    assert line.shown(patients[0])["stepped_aside"] and line.row(patients[0]).last_code == how["code"]


def test_an_agent_that_is_away_costs_nobody_the_place(line: Line, m: Any) -> None:
    m(2)
    patients = line.enter(3)
    line.poll()
    for _ in range(TRIES_IN_PLACE + 1):
        line.house.rows("UPDATE command SET deadline = now() - interval '1 hour'")
        with line.house.runtime.work() as work:
            work.later("exchange.overdue", None)
        line.house.drain_all("exchange.overdue", "registration.answered")
        line.rest_is_over()
        line.poll()
    assert not [patient for patient in patients if line.shown(patient)["stepped_aside"]]
    assert line.answer() == documents(patients[:2])


def test_a_late_word_of_the_hospital_counts(line: Line) -> None:
    """A command with a deadline, as an earlier release wrote it, whose answer comes when it is overdue."""
    (patient,) = line.enter(1)
    line.poll()
    (asked,) = line.house.agent().poll(lanes=["registration"])
    line.house.rows("UPDATE command SET deadline = now() - interval '1 hour' WHERE status = 'fetched'")
    with line.house.runtime.work() as work:
        work.later("exchange.overdue", None)
    line.house.drain_all("exchange.overdue", "registration.answered")
    assert line.statuses([patient]) == ["queued"]
    line.house.agent().answer(asked["id"], {"patient_no": "P-late"})
    line.house.drain_all("registration.answered")
    assert line.statuses([patient]) == ["registered"]


def test_a_number_that_the_hospital_knows_with_another_body_is_no_final_refusal(line: Line) -> None:
    (patient,) = line.enter(1)
    line.poll()
    line.answer(lambda _: {"outcome": "refused", "code": "registration_no_reused"})
    row = line.row(patient)
    assert (row.status, row.last_code) == ("queued", "registration_no_reused")
    assert line.shown(patient)["stepped_aside"], "an operator looks at it"


@pytest.mark.parametrize("number", [None, 5, "", "   ", "\u3000", "P\n1", "P" * 5000], ids=repr)
def test_what_cannot_be_a_patient_number_registers_nobody(line: Line, number: Any) -> None:
    (patient,) = line.enter(1)
    known = "SELECT patient_no FROM patient_number WHERE person_id = :id"
    before = line.house.rows(known, id=patient.person_id)
    for tries in range(1, TRIES_IN_PLACE + 1):
        line.poll()
        line.answer(lambda _: {"outcome": "done", "body": {"patient_no": number}})
        row = line.row(patient)
        assert (row.status, row.last_code, row.tries) == ("queued", "answer_unfit", tries)
        line.rest_is_over()
    assert line.shown(patient)["stepped_aside"], "an operator looks at it"
    assert line.house.rows(known, id=patient.person_id) == before
