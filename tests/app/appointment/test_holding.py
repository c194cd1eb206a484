"""Nobody hoards places, however many hands they ask with at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from app.appointment import contracts as c
from app.appointment import service
from app.core.errors import Problem
from tests.app.appointment.crowd import One, crowd
from tests.app.appointment.kit import Desk
from tests.app.kit import Thread


@pytest.fixture
def few(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Two places for a person, three for an account."""
    monkeypatch.setattr(desk.house.runtime.settings, "appointments_per_person", 2)
    monkeypatch.setattr(desk.house.runtime.settings, "appointments_per_account", 3)
    yield desk


def ask(desk: Desk, one: One, count: int) -> list[str]:
    """What becomes of bookings of so many slots, all asked for at once."""
    slots = [desk.slot() for _ in range(count)]

    def book(slot_id: object) -> str:
        try:
            with desk.house.runtime.work() as work:
                wanted = c.Book.model_validate({"person_id": one.person_id, "slot_id": slot_id})
                service.book(work, one.account_id, wanted)
        except Problem as problem:
            return problem.code
        return "booked"

    return [thread.result(60) for thread in [Thread(partial(book, slot_id)) for slot_id in slots]]


def test_a_person_holds_so_many_and_an_account_so_many(few: Desk) -> None:
    one, other = crowd(few, 2)
    assert Counter(ask(few, one, 5)) == {"booked": 2, "too_many_appointments": 3}
    assert Counter(ask(few, other, 3)) == {"booked": 1, "too_many_in_account": 2}


def test_what_is_over_makes_room(few: Desk) -> None:
    patient = few.house.known()
    slots = [few.slot() for _ in range(3)]
    first, _ = [few.book(patient, slot_id) for slot_id in slots[:2]]
    answer = few.ask(patient, slots[2])
    assert (answer.status_code, answer.get_json()["code"]) == (409, "too_many_appointments")
    few.cancel(patient, first)
    few.book(patient, slots[2])


def test_who_holds_enough_takes_no_offer(few: Desk) -> None:
    slot_id, holder, held = few.full()
    patient = few.house.known()
    entry = few.waits(patient, slot_id)
    for _ in range(2):
        few.book(patient, few.slot())
    few.cancel(holder, held)
    answer = few.accept(patient, entry)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "too_many_appointments")
    assert few.statuses((patient, entry)) == ["offered"], "an offer stays until it lapses"
