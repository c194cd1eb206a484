"""Everybody at once, on the real database: two hundred for twenty places, and a line under every kind of traffic."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.appointment import contracts as c
from app.appointment import service
from app.appointment.waiting import contracts as w
from app.appointment.waiting import offers
from app.appointment.waiting import service as waiting
from app.core.errors import Conflict, Problem
from tests.app.appointment.crowd import One, crowd
from tests.app.appointment.kit import Desk
from tests.app.kit import Thread

THREADS = 10
# What the database must say of a slot at any time; no row is a violation.
_WRONG = """
SELECT s.id FROM slot s WHERE s.id = :id AND (s.taken > s.capacity OR s.taken <> (
    SELECT count(*) FROM appointment a WHERE a.slot_id = s.id AND a.status IN ('pending', 'booked'))
  + (SELECT count(*) FROM waiting_entry w WHERE w.offered_slot_id = s.id AND w.status = 'offered'))
"""
_OVERTAKEN = """
SELECT count(*) FROM waiting_entry first JOIN waiting_entry next ON next.slot_id = first.slot_id
WHERE first.slot_id = :id AND first.status = 'waiting' AND next.line_no > first.line_no
  AND next.status IN ('offered', 'taken', 'lapsed')
"""


def ask_all(desk: Desk, slot_id: UUID, people: list[One]) -> list[str]:
    codes = []
    for one in people:
        try:
            with desk.house.runtime.work() as work:
                service.book(work, one.account_id, c.Book(person_id=one.person_id, slot_id=slot_id))
            codes.append("sold")
        except Problem as problem:
            codes.append(problem.code)
    return codes


def test_two_hundred_people_for_twenty_places(desk: Desk) -> None:
    slot_id, people = desk.slot(capacity=20, fee_fen=100), crowd(desk, 200)
    threads = [Thread(partial(ask_all, desk, slot_id, people[n::THREADS])) for n in range(THREADS)]
    codes = Counter(code for thread in threads for code in thread.result(120))
    assert codes == {"sold": 20, "slot_full": 180}
    assert desk.left(slot_id) == (20, 20)
    sold = desk.house.rows("SELECT account_id, payment_order_id FROM appointment WHERE slot_id = :id", id=slot_id)
    assert len(sold) == 20
    orders = "SELECT count(*) FROM payment_order o JOIN appointment a ON a.id = o.subject WHERE a.slot_id = :id"
    assert desk.house.value(orders, id=slot_id) == 20, "nothing follows from a refusal"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"capacity": 0}, "slot_full"),
        ({"status": "stopped"}, "slot_stopped"),
        ({"in_h": 30}, "slot_moved"),
        ({"doctor_code": "D2"}, "slot_moved"),
    ],
)
def test_what_becomes_of_a_slot_while_a_booking_is_written(desk: Desk, how: dict[str, Any], code: str) -> None:
    slot_id, [one] = desk.slot(capacity=1), crowd(desk, 1)
    if "in_h" in how:
        begin = datetime.now(UTC) + timedelta(hours=how["in_h"])
        how = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat()}
    with pytest.raises(Conflict) as refused, desk.house.runtime.work() as work:
        service.book(work, one.account_id, c.Book(person_id=one.person_id, slot_id=slot_id))
        desk.change(slot_id, 2, **{"capacity": 5} | how)
    assert refused.value.code == code
    assert desk.house.value("SELECT count(*) FROM appointment WHERE slot_id = :id", id=slot_id) == 0
    assert desk.left(slot_id)[0] == 0


def test_nobody_joins_the_line_of_a_slot_while_a_booking_is_written(desk: Desk) -> None:
    slot_id, [one] = desk.slot(capacity=1), crowd(desk, 1)
    wanted = w.Join(person_id=one.person_id, slot_id=slot_id)
    with desk.house.runtime.work() as work:
        service.book(work, one.account_id, c.Book(person_id=one.person_id, slot_id=slot_id))
        with pytest.raises(OperationalError, match="lock timeout"), desk.house.runtime.work() as other:
            other.session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            waiting.join(other, one.account_id, wanted)
    with pytest.raises(Conflict, match="already_booked"), desk.house.runtime.work() as work:
        waiting.join(work, one.account_id, wanted)


def traffic(desk: Desk, slot_id: UUID, people: list[One], seed: int) -> None:
    """Join, book, cancel, take, leave and let lapse, whatever the moment allows."""
    dice = random.Random(seed)
    for _ in range(25):
        one = dice.choice(people)
        step = dice.choice((_join, _join, _book, _cancel, _cancel, _accept, _leave, _lapse))
        try:
            step(desk, slot_id, one)
        except Problem:
            continue


def _join(desk: Desk, slot_id: UUID, one: One) -> None:
    with desk.house.runtime.work() as work:
        waiting.join(work, one.account_id, w.Join(person_id=one.person_id, slot_id=slot_id))


def _book(desk: Desk, slot_id: UUID, one: One) -> None:
    with desk.house.runtime.work() as work:
        service.book(work, one.account_id, c.Book(person_id=one.person_id, slot_id=slot_id))


def _cancel(desk: Desk, slot_id: UUID, one: One) -> None:
    for row in desk.house.rows(
        "SELECT id FROM appointment WHERE slot_id = :slot AND person_id = :person AND status = 'pending'",
        slot=slot_id,
        person=one.person_id,
    ):
        with desk.house.runtime.work() as work:
            service.cancel(work, one.account_id, row.id)


def _entries(desk: Desk, slot_id: UUID, one: One) -> list[UUID]:
    mine = "SELECT id FROM waiting_entry WHERE slot_id = :slot AND person_id = :person ORDER BY line_no DESC LIMIT 1"
    return [row.id for row in desk.house.rows(mine, slot=slot_id, person=one.person_id)]


def _accept(desk: Desk, slot_id: UUID, one: One) -> None:
    for entry_id in _entries(desk, slot_id, one):
        with desk.house.runtime.work() as work:
            waiting.accept(work, one.account_id, entry_id)


def _leave(desk: Desk, slot_id: UUID, one: One) -> None:
    for entry_id in _entries(desk, slot_id, one):
        with desk.house.runtime.work() as work:
            waiting.leave(work, one.account_id, entry_id)


def _lapse(desk: Desk, slot_id: UUID, one: One) -> None:
    for entry_id in _entries(desk, slot_id, one):
        desk.house.rows(
            "UPDATE waiting_entry SET offer_until = now() WHERE id = :id AND status = 'offered'", id=entry_id
        )
        with desk.house.runtime.work() as work:
            offers.lapse(work, entry_id)


def test_a_line_under_every_kind_of_traffic(desk: Desk) -> None:
    slot_id, people = desk.slot(capacity=3), crowd(desk, 15)
    threads = [Thread(partial(traffic, desk, slot_id, people, seed)) for seed in range(8)]
    for thread in threads:
        thread.result(120)
    assert desk.house.rows(_WRONG, id=slot_id) == []
    assert desk.house.value(_OVERTAKEN, id=slot_id) == 0
    taken, capacity = desk.left(slot_id)
    waits = "SELECT count(*) FROM waiting_entry WHERE slot_id = :id AND status = 'waiting'"
    assert taken == capacity or desk.house.value(waits, id=slot_id) == 0, "nobody waits beside a free place"
