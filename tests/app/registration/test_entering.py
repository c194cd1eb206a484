"""The place in line is the order in which bookings were accepted, whoever lets people in and whoever dies."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from app.registration import service
from tests.app.kit import Thread
from tests.app.patients import Known
from tests.app.registration.kit import Line


def enter(line: Line, *appointments: UUID) -> None:
    with line.house.runtime.work() as work:
        for booked in appointments:
            work.later("registration.enter", booked)
    line.house.drain_all("registration.enter")


def places(line: Line, patients: list[Known]) -> list[Any]:
    return [line.row(patient).line_no for patient in patients]


def test_whoever_is_let_in_first_everybody_stands_where_they_arrived(line: Line) -> None:
    """A worker that held the first two is dead; another goes on with the third."""
    patients = [line.house.known() for _ in range(3)]
    booked = [line.booked(patient) for patient in patients]
    enter(line, booked[2])
    enter(line, *booked[:2])
    assert places(line, patients) == sorted(places(line, patients))
    line.poll()
    assert line.answer() == [patient.document_no for patient in patients]


def test_nobody_is_asked_for_before_those_who_arrived_earlier_are_let_in(line: Line, m: Any) -> None:
    m(1)
    first, second = (line.house.known() for _ in range(2))
    line.booked(first)
    enter(line, line.booked(second))
    line.poll()
    assert line.answer() == [first.document_no]


def test_many_may_let_people_in_at_once(line: Line) -> None:
    patients = [line.house.known() for _ in range(12)]
    booked = [line.booked(patient) for patient in patients]
    done = [Thread(partial(_enter_one, line, one)) for one in reversed(booked)]
    [thread.result() for thread in done]
    assert places(line, patients) == sorted(set(places(line, patients)))


def _enter_one(line: Line, appointment_id: UUID) -> None:
    with line.house.runtime.work() as work:
        service.enter(work, [appointment_id])


def test_who_books_twice_stands_where_they_arrived_first(line: Line) -> None:
    first, second = (line.house.known() for _ in range(2))
    booked = [line.booked(first), line.booked(second), line.booked(first)]
    enter(line, *booked)
    assert line.house.value("SELECT count(*) FROM registration WHERE person_id = :id", id=first.person_id) == 1
    assert line.row(first).appointment_id == booked[0] and places(line, [first]) < places(line, [second])


def test_many_who_are_known_already_do_not_end_the_letting_in(line: Line, monkeypatch: Any) -> None:
    monkeypatch.setattr("app.registration.entering.AT_ONCE", 2)
    first, second = (line.house.known() for _ in range(2))
    booked = [line.booked(one) for one in (first, first, first, first, second)]
    enter(line, *booked)
    assert line.statuses([first, second]) == ["queued", "queued"]
