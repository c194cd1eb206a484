"""What the hospital is asked: the same under the same number, whatever has changed since."""

from __future__ import annotations

from typing import Any

import pytest

from app.identity import service as identity
from app.registration.rules import TRIES_IN_PLACE
from tests.app.registration.kit import Line

BUSY = {"outcome": "failed", "code": "his_busy"}
SILENT = {"outcome": "failed", "code": "his_timeout"}


def test_the_same_number_always_comes_with_the_same_body(line: Line) -> None:
    patient = line.house.known(card=None)
    line.let_in(patient)
    bodies: list[Any] = []

    def say_nothing(command: dict[str, Any]) -> dict[str, Any]:
        bodies.append(command["body"])
        return {"outcome": "failed", "code": "his_timeout"}

    for turn in range(3):
        line.poll()
        line.answer(say_nothing)
        if turn == 0:
            with line.house.runtime.work() as work:
                identity.require_medical_card(work, patient.person_id, "C100200399")
        line.rest_is_over()
    assert len(bodies) == 3 and bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["medical_card_no"] is None


@pytest.mark.parametrize("self_pay", [True, False])
def test_who_pays_for_everything_shows_no_card(line: Line, self_pay: bool) -> None:
    line.let_in(line.house.known(card="C555666777"), self_pay=self_pay)
    line.poll()
    (asked,) = line.house.agent().poll(lanes=["registration"])
    assert asked["body"]["medical_card_no"] == (None if self_pay else "C555666777")


def test_a_command_waits_for_its_agent_without_an_end(line: Line) -> None:
    (patient,) = line.enter(1)
    line.poll()
    assert line.house.value("SELECT deadline FROM command WHERE kind = 'register' AND status = 'open'") is None
    (asked,) = line.house.agent().poll(lanes=["registration"])
    line.house.rows("UPDATE command SET handed_at = handed_at - interval '1 day' WHERE status = 'fetched'")
    assert [again["id"] for again in line.house.agent().poll(lanes=["registration"])] == [asked["id"]]
    assert line.statuses([patient]) == ["registering"]


def test_nobody_behind_is_asked_for_while_one_that_has_failed_is_asked_again(line: Line) -> None:
    (first,) = line.enter(1)
    line.poll()
    line.answer(lambda _: dict(BUSY))
    behind = line.enter(2)
    for _ in range(TRIES_IN_PLACE - 1):
        line.rest_is_over()
        line.poll()
        line.poll()
        assert line.statuses([first, *behind]) == ["registering", "queued", "queued"]
        assert line.answer(lambda _: dict(BUSY)) == [first.document_no]
    assert line.shown(first)["stepped_aside"]
    line.poll()
    assert line.answer() == [patient.document_no for patient in behind], "others pass while it rests"


def test_the_line_goes_on_behind_one_that_is_registered_at_last(line: Line) -> None:
    first, *behind = line.enter(3)
    line.poll()
    line.answer(lambda c: dict(BUSY) if c["body"]["document_no"] == first.document_no else {"outcome": "done"})
    behind = line.enter(2)
    line.rest_is_over()
    asked = []
    for _ in range(2):
        line.poll()
        asked.append(line.answer())
    assert asked == [[first.document_no], [patient.document_no for patient in behind]]


def test_where_the_hospital_was_not_there_company_shows_whose_failure_it_is(line: Line) -> None:
    """Asked alone, nobody could say, and the line would stand for ever."""
    first, *others = line.enter(2)
    line.poll()
    line.answer(lambda c: dict(SILENT) if c["body"]["document_no"] == first.document_no else {"outcome": "done"})
    others = line.enter(1)
    line.rest_is_over()
    line.poll()
    assert line.answer() == [first.document_no, others[0].document_no]


@pytest.mark.parametrize("ahead", ["1 hour", "20 minutes"])
def test_a_rest_that_a_clock_has_moved_away_is_over(line: Line, ahead: str) -> None:
    """Written before the clocks were put back."""
    (patient,) = line.enter(1)
    line.poll()
    line.answer(lambda _: {"outcome": "failed", "code": "his_busy"})
    line.house.rows("UPDATE registration SET not_before = now() + CAST(:ahead AS interval)"
                    " WHERE person_id = :id", ahead=ahead, id=patient.person_id)  # fmt: skip
    line.house.rows("DELETE FROM task")
    line.sweep()
    line.poll()
    assert line.answer() == [patient.document_no]


def test_a_line_that_nobody_would_wake_is_woken(line: Line) -> None:
    (patient,) = line.enter(1)
    line.house.rows("DELETE FROM task WHERE kind = 'registration.poll'")
    line.sweep()
    line.poll()
    assert line.answer() == [patient.document_no]


def test_a_booking_whose_entering_was_lost_is_let_in(line: Line) -> None:
    patient = line.house.known()
    line.booked(patient)
    line.sweep()
    line.poll()
    assert line.answer() == [patient.document_no]


def test_a_line_that_will_wake_by_itself_is_left_alone(line: Line) -> None:
    line.enter(1)
    due = "SELECT count(*) FROM task WHERE kind = 'registration.poll'"
    before = line.house.value(due)
    line.sweep()
    line.sweep()
    assert line.house.value(due) == before
