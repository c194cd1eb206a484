"""Nobody hoards places, however many hands they ask with at once."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from uuid import UUID

import pytest

from app.appointment import contracts as c
from app.appointment import service
from app.appointment.waiting import closing
from app.core.errors import Problem
from tests.app.appointment.crowd import One, crowd
from tests.app.appointment.kit import Desk
from tests.app.kit import Thread
from tests.app.patients import refusal


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


def test_who_holds_enough_is_passed_over_and_keeps_the_place_in_line(few: Desk) -> None:
    slot_id, holder, held = few.full()
    (full, behind), entries = (few.house.known(), few.house.known()), []
    for patient in (full, behind):
        entries.append(few.waits(patient, slot_id))
    first, _ = [few.book(full, few.slot()) for _ in range(2)]
    few.cancel(holder, held)
    assert few.statuses((full, entries[0]), (behind, entries[1])) == ["waiting", "offered"]
    assert (few.entry(full, entries[0])["place"], few.entry(full, entries[0])["passed_over"]) == (1, True)
    assert not few.entry(behind, entries[1])["passed_over"]
    few.leave(behind, entries[1])
    assert few.statuses((full, entries[0])) == ["waiting"] and few.left(slot_id) == (0, 1), "everybody may have it"
    few.cancel(full, first)
    assert not few.entry(full, entries[0])["passed_over"]
    sweep(few)
    assert few.statuses((full, entries[0])) == ["offered"]
    assert few.accept(full, entries[0]).status_code == 201


def sweep(desk: Desk) -> int:
    """How many slots were looked at for who waits."""
    with desk.house.runtime.work() as work:
        closing.sweep(work)
    return desk.house.drain_all("appointment.fill")


def test_the_sweep_looks_only_where_somebody_can_take_a_place(few: Desk) -> None:
    slot_id, holder, held = few.full()
    patient = few.house.known()
    few.waits(patient, slot_id)
    for _ in range(2):
        few.book(patient, few.slot())
    few.cancel(holder, held)
    assert sweep(few) == 0


def test_an_offer_counts_as_held(few: Desk) -> None:
    """Many slots are waited for at once, and only as many places are held as can be taken."""
    patient, full = few.house.known(), [few.full() for _ in range(3)]
    entries = [few.waits(patient, slot_id) for slot_id, _, _ in full]
    for _, holder, held in full:
        few.cancel(holder, held)
    pairs = [(patient, entry) for entry in entries]
    assert few.statuses(*pairs) == ["offered", "offered", "waiting"]
    assert refusal(few.ask(patient, few.slot()), 409) == "too_many_appointments"
    assert few.book(patient, full[0][0])["slot_id"] == str(full[0][0]), "the place that is held for them"
    assert few.accept(*pairs[1]).status_code == 201
    assert few.statuses(*pairs) == ["taken", "taken", "waiting"]


def test_offers_that_are_made_at_once_are_counted_too(few: Desk) -> None:
    """Neither of two transactions sees the other's offer, and whoever has locked a slot waits for nobody."""
    patient, full = few.house.known(), [few.full() for _ in range(3)]
    pairs = [(patient, few.waits(patient, slot_id)) for slot_id, _, _ in full]
    with contextlib.ExitStack() as open_works:
        for _, holder, held in full:
            work = open_works.enter_context(few.house.runtime.work())
            service.cancel(work, holder.account_id, UUID(held["id"]))
            work.session.flush()
    assert few.statuses(*pairs).count("offered") == 1
    few.house.drain_all("appointment.fill")
    assert sorted(few.statuses(*pairs)) == ["offered", "offered", "waiting"]
