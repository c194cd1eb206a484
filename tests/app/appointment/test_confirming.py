"""The hospital's word: how long it is waited for, what a late one does, and the place that it gives."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from app.appointment import rules, service
from app.exchange import service as exchange
from tests.app.appointment.kit import Desk
from tests.app.kit import Thread
from tests.app.patients import Known


def asked(desk: Desk) -> list[Any]:
    """What the agent takes and does not answer."""
    found: list[Any] = desk.house.agent().poll(lanes=["booking"])
    return found


def test_a_question_stands_as_long_as_the_place_is_held(desk: Desk) -> None:
    """A burst before a slow hospital: whoever stands behind the others there is not given up."""
    row = desk.book(desk.house.known(), desk.slot())
    (question,) = asked(desk)
    assert question["left_ms"] > 0.9 * rules.CONFIRM_PATIENCE.total_seconds() * 1000
    desk.house.rows("UPDATE command SET deadline = deadline - interval '9 minutes' WHERE status = 'fetched'")
    with desk.house.runtime.work() as work:
        assert exchange.expire(work) == 0
    desk.house.agent().answer(question["id"])
    desk.house.drain_all("appointment.confirmed")
    assert desk.house.value("SELECT status FROM appointment WHERE id = :id", id=row["id"]) == "booked"


def test_the_question_after_a_failure_does_not_outlive_the_patience(desk: Desk) -> None:
    desk.book(desk.house.known(), desk.slot())
    desk.house.rows("UPDATE appointment SET asked_at = asked_at - interval '5 minutes' WHERE status = 'pending'")
    desk.confirm(outcome="failed", code="his_busy")
    desk.house.drain_all("appointment.ask", hurry=True)
    (question,) = asked(desk)
    assert question["left_ms"] < 0.6 * rules.CONFIRM_PATIENCE.total_seconds() * 1000


def test_a_confirmation_that_comes_when_the_place_was_given_up_is_taken_back(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.book(patient, slot_id)
    (question,) = asked(desk)
    desk.house.rows("UPDATE command SET deadline = now() - interval '1 hour' WHERE status = 'fetched'")
    desk.house.rows("UPDATE appointment SET asked_at = now() - interval '1 hour' WHERE id = :id", id=row["id"])
    with desk.house.runtime.work() as work:
        exchange.expire(work)
    desk.house.drain_all("appointment.confirmed")
    assert desk.read(patient, row)["status"] == "refused"
    assert desk.confirm() == ["cancel_appointment"]
    assert desk.house.agent().answer(question["id"])["accepted"] == [question["id"]]
    desk.house.drain_all("appointment.confirmed")
    assert desk.read(patient, row)["status"] == "refused" and desk.left(slot_id)[0] == 0
    assert desk.confirm() == ["cancel_appointment"], "it has it after all"


def places(desk: Desk, rows: list[Any]) -> list[Any]:
    return [desk.house.value("SELECT arrival_no FROM appointment WHERE id = :id", id=row["id"]) for row in rows]


def confirmed(desk: Desk, row: Any, question: Any) -> None:
    """The hospital's word about one of them has its effect, in a transaction of its own."""
    answer = _answer(desk, question)
    with desk.house.runtime.work() as work:
        service.hospital_answered(work, answer)


def _answer(desk: Desk, question: Any) -> exchange.CommandAnswer:
    with desk.house.runtime.work() as work:
        return exchange.answer(work, UUID(question["id"]))


def _three(desk: Desk) -> tuple[list[Known], list[Any], list[Any]]:
    patients = [desk.house.known() for _ in range(3)]
    rows = [desk.book(patient, desk.slot()) for patient in patients]
    questions = {question["body"]["appointment_no"]: question for question in asked(desk)}
    mine = [questions[row["no"]] for row in rows]
    for question in mine:
        desk.house.agent().answer(question["id"])
    return patients, rows, mine


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_what_was_given_up_while_its_confirmation_is_in_doubt_is_cancelled_once_more(desk: Desk, outcome: str) -> None:
    """The hospital may have heard the cancellation first and the question after it."""
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.book(patient, slot_id)
    (question,) = asked(desk)
    desk.cancel(patient, row)
    assert desk.confirm() == ["cancel_appointment"]
    desk.house.agent().answer(question["id"], outcome=outcome, code="timeout")
    desk.house.drain_all("appointment.confirmed")
    assert desk.confirm() == ["cancel_appointment"]
    assert desk.confirm() == [] and desk.read(patient, row)["status"] == "cancelled"


def test_a_refusal_after_a_doubt_is_taken_back_at_the_hospital_too(desk: Desk) -> None:
    patient = desk.house.known()
    row = desk.book(patient, desk.slot())
    desk.confirm(outcome="unknown", code="timeout")
    desk.house.drain_all("appointment.ask", hurry=True)
    assert desk.confirm(outcome="refused", code="slot_full") == ["confirm_appointment"]
    assert desk.read(patient, row)["status"] == "refused"
    assert desk.confirm() == ["cancel_appointment"]


def test_what_was_confirmed_late_is_not_cancelled_by_a_refusal_of_a_second_question(desk: Desk) -> None:
    patient = desk.house.known()
    row = desk.book(patient, desk.slot())
    (question,) = asked(desk)
    desk.house.rows("UPDATE command SET deadline = now() - interval '1 hour' WHERE status = 'fetched'")
    with desk.house.runtime.work() as work:
        exchange.expire(work)
    desk.house.drain_all("appointment.confirmed")
    desk.house.drain_all("appointment.ask", hurry=True)
    (again,) = asked(desk)
    assert desk.house.agent().answer(question["id"])["accepted"] == [question["id"]]
    desk.house.drain_all("appointment.confirmed")
    desk.house.agent().answer(again["id"], outcome="refused", code="slot_full")
    desk.house.drain_all("appointment.confirmed")
    assert desk.read(patient, row)["status"] == "booked" and desk.confirm() == []


def test_the_place_in_line_is_given_in_the_order_of_acceptance(desk: Desk) -> None:
    """Whoever is accepted while another's acceptance is not committed stands behind; what is rolled back leaves no
    gap."""
    _, rows, questions = _three(desk)
    assert places(desk, rows) == [None] * 3
    first, second, third = (_answer(desk, question) for question in questions)
    with pytest.raises(KeyboardInterrupt), desk.house.runtime.work() as work:
        service.hospital_answered(work, third)
        raise KeyboardInterrupt
    with desk.house.runtime.work() as work:
        service.hospital_answered(work, second)
        work.session.flush()
        behind = Thread(partial(confirmed, desk, rows[0], questions[0]))
        behind.join(0.3)
        assert behind.is_alive(), "it waits for the commit of who was first"
    behind.result()
    with desk.house.runtime.work() as work:
        service.hospital_answered(work, third)
    found = places(desk, rows)
    assert [found[0] - found[1], found[2] - found[0]] == [1, 1]
    assert first.outcome == "done"
