"""What ends or moves the line by itself: a stopped clinic, the clock, places that appear, ties that end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, tuple_

from app.appointment import holding, places
from app.appointment.models import Slot
from app.appointment.waiting import offers, rules
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState, waiting_entries
from app.core.clock import shanghai_date
from app.core.errors import LostRace
from app.core.work import Work
from app.identity import service as identity

LEAVE_UNBOUND = "appointment.leave_unbound"
_RACES = 5
# A lapse is a task of its own; one that was lost is found so much later.
_LAPSE_GRACE = timedelta(minutes=1)
_WAITING = WaitingEntry.status == WaitingState.WAITING
_OFFERED = WaitingEntry.status == WaitingState.OFFERED


def stop(work: Work, slots: Sequence[Slot]) -> None:
    """停诊 of slots whose rows are locked: offers there are void, and nobody waits for them any more."""
    ids = [slot.id for slot in slots]
    wanted = select(WaitingEntry).where(WaitingEntry.offered_slot_id.in_(ids), _OFFERED)
    for row in work.session.scalars(wanted.order_by(WaitingEntry.line_no).with_for_update()).all():
        _void_offer(work, row)
    of_slots = select(WaitingEntry.id).where(WaitingEntry.slot_id.in_(ids), _WAITING)
    offers.end(work, work.session.scalars(of_slots).all(), "close", rules.STOPPED)
    days = sorted({(slot.hospital_id, slot.doctor_code, shanghai_date(slot.starts_at)) for slot in slots})
    key = tuple_(WaitingEntry.hospital_id, WaitingEntry.doctor_code, WaitingEntry.day)
    of_days = select(WaitingEntry.id).where(key.in_(days), _WAITING, ~_has_open_slot(work))
    offers.end(work, work.session.scalars(of_days).all(), "close", rules.STOPPED)


def _void_offer(work: Work, row: WaitingEntry) -> None:
    """Whoever waits for a doctor's day keeps the place in line while another clinic of that day is open."""
    assert row.offered_slot_id is not None
    places.release(work, row.offered_slot_id)
    others = select(Slot.id).where(places.of_day(row.hospital_id, row.doctor_code, row.day), *_open(work))
    ids = work.session.scalars(others).all() if row.doctor_code else []
    if not ids:
        offers.end(work, [row.id], "close", rules.STOPPED)
        return
    which = str(row.offered_slot_id)
    waiting_entries.move(work, [row.id], "withdraw", values={"offered_slot_id": None, "offer_until": None})
    offers.tell(work, row.id, "waiting_resumed", {"reason": rules.RESUMED}, which)
    for slot_id in ids:
        work.later(offers.FILL, slot_id)


def filled(work: Work, hospital_id: UUID, slot_keys: Collection[str]) -> None:
    """Slots that were pushed may have new places: they go to who waits. Their rows are locked."""
    some = select(Slot.id).where(Slot.hospital_id == hospital_id, Slot.key.in_(slot_keys), *_waited_for(work))
    for slot_id in work.session.scalars(some.order_by(Slot.key)).all():
        offers.fill(work, slot_id)


def leave(work: Work, entry_id: UUID, why: str) -> bool:
    """End an entry; a place that is held for it goes to the next. False for one that has ended already."""
    for _ in range(_RACES):
        held = offers.offered(work, entry_id)
        still = (WaitingEntry.id == entry_id, _WAITING)
        if held is None and work.session.scalar(select(WaitingEntry.id).where(*still).with_for_update()) is None:
            if work.session.get_one(WaitingEntry, entry_id, populate_existing=True).status == WaitingState.OFFERED:
                continue  # offered between the two looks
            return False
        offers.end(work, [entry_id], "leave", why, tells=False)
        if held is not None and held.offered_slot_id is not None:
            offers.hand_on(work, held.offered_slot_id)
        return True
    raise LostRace(waiting_entries.name, "leave", [entry_id])


def tie_ended(work: Work, account_id: UUID, person_id: UUID) -> None:
    """Whatever the account waits for in the person's name is to end: each entry in a transaction of its own, because
    whoever holds one slot waits for no other."""
    _end_unbound(work, WaitingEntry.account_id == account_id, WaitingEntry.person_id == person_id)


def leave_unbound(work: Work, entry_id: UUID) -> None:
    """End the entry of an account that is not bound to its person. It is told nothing more of that person."""
    row = work.session.get(WaitingEntry, entry_id)
    if row is not None and not identity.bound_pairs(work.session, [(row.account_id, row.person_id)]):
        leave(work, entry_id, rules.UNBOUND)


def _end_unbound(work: Work, *which: ColumnElement[bool]) -> None:
    live = select(WaitingEntry.id).where(_WAITING | _OFFERED, *which)
    for entry_id in work.session.scalars(live.limit(rules.AT_ONCE)):
        work.later(LEAVE_UNBOUND, entry_id)


def sweep(work: Work) -> None:
    """End what the clock has ended, and write tasks for what should have moved already."""
    bound = identity.acts_for(WaitingEntry.account_id, WaitingEntry.person_id)
    _end_unbound(work, ~bound)
    late = (_OFFERED, WaitingEntry.offer_until < work.now - _LAPSE_GRACE)
    for entry_id in work.session.scalars(select(WaitingEntry.id).where(*late).limit(rules.AT_ONCE)):
        work.later(offers.LAPSE, entry_id)
    for slot_id in work.session.scalars(select(Slot.id).where(*_waited_for(work)).limit(rules.AT_ONCE)):
        work.later(offers.FILL, slot_id)
    mine = exists().where(Slot.id == WaitingEntry.slot_id, *_open(work))
    over = select(WaitingEntry.id).where(_WAITING, ~mine, ~_has_open_slot(work))
    offers.end(work, work.session.scalars(over.limit(rules.AT_ONCE)).all(), "close", rules.OVER)


def _open(work: Work) -> tuple[ColumnElement[bool], ...]:
    return (~Slot.stopped, Slot.starts_at > work.clock.horizon() + rules.OFFER_LIFE)


def _has_open_slot(work: Work) -> ColumnElement[bool]:
    """Some clinic of the entry's doctor and day can still be offered."""
    return exists().where(
        places.of_day(WaitingEntry.hospital_id, WaitingEntry.doctor_code, WaitingEntry.day), *_open(work)
    )


def _waited_for(work: Work) -> tuple[ColumnElement[bool], ...]:
    of_day = places.of_day(WaitingEntry.hospital_id, WaitingEntry.doctor_code, WaitingEntry.day)
    room = holding.has_room(work.runtime.settings, WaitingEntry.account_id, WaitingEntry.person_id)
    waits = exists().where(_WAITING, (WaitingEntry.slot_id == Slot.id) | of_day, room)
    return (Slot.taken < Slot.capacity, *_open(work), waits)
