"""A place that frees goes to the first in line, in the transaction in which it frees: nobody comes in between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased

from app.appointment import holding, places
from app.appointment.models import Appointment, Slot
from app.appointment.states import LIVE
from app.appointment.waiting import rules
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState, waiting_entries
from app.core.bare import Bare, word
from app.core.clock import shanghai_date
from app.core.work import Work
from app.identity import service as identity
from app.notification import service as notification

LAPSE, FILL = "appointment.offer_lapse", "appointment.fill"


# Entries that a place of a slot would serve.
_WANTS = or_(
    WaitingEntry.slot_id == bindparam("of_slot_id"),
    and_(
        WaitingEntry.hospital_id == bindparam("of_hospital_id"),
        WaitingEntry.doctor_code == bindparam("of_doctor_code"),
        WaitingEntry.day == bindparam("of_day"),
    ),
)
_IN_VAIN = Bare(
    select(WaitingEntry.id)
    .where(WaitingEntry.person_id == bindparam("of_person_id"), _WANTS)
    .where(
        or_(
            WaitingEntry.status == word(WaitingState.WAITING),
            and_(
                WaitingEntry.status == word(WaitingState.OFFERED),
                WaitingEntry.offered_slot_id == bindparam("of_slot_id"),
            ),
        )
    )
)


def _of(slot: Slot) -> dict[str, Any]:
    """The parameters of `_WANTS`."""
    return {
        "of_slot_id": slot.id,
        "of_hospital_id": slot.hospital_id,
        "of_doctor_code": slot.doctor_code,
        "of_day": shanghai_date(slot.starts_at),
    }


def fill(work: Work, slot_id: UUID) -> None:
    """Offer the slot's free places down the line; the caller has changed the slot, or will wait for who does."""
    slot = places.lock(work, slot_id)
    if slot is None or slot.stopped or slot.starts_at <= work.clock.horizon() + rules.OFFER_LIFE:
        return
    while (first := _first(work, slot)) is not None:
        if not holding.lock_at_once(work, first.account_id, first.person_id):
            work.later(FILL, slot.id)  # they are given another place right now, and may have no room for this one
            return
        if _first(work, slot) != first:
            continue  # only now it is sure what they hold
        if not places.take(work, slot):
            return
        _offer(work, slot, first.id)


def _first(work: Work, slot: Slot) -> Row[UUID, UUID, UUID] | None:
    """(id, account_id, person_id) of the first in line who holds nothing in this slot yet, of accounts that are bound
    to their persons. Who holds as many places as one may is passed over and stays where they stand."""
    other = aliased(WaitingEntry)
    held = exists().where(
        Appointment.slot_id == slot.id, Appointment.person_id == WaitingEntry.person_id, Appointment.status.in_(LIVE)
    )
    offered = exists().where(
        other.offered_slot_id == slot.id,
        other.person_id == WaitingEntry.person_id,
        other.status == WaitingState.OFFERED,
    )
    bound = identity.acts_for(WaitingEntry.account_id, WaitingEntry.person_id)
    room = holding.has_room(work.runtime.settings, WaitingEntry.account_id, WaitingEntry.person_id)
    line = select(WaitingEntry.id, WaitingEntry.account_id, WaitingEntry.person_id).where(
        WaitingEntry.status == WaitingState.WAITING, _WANTS, bound, ~held, ~offered, room
    )
    first = line.order_by(WaitingEntry.line_no).limit(1).with_for_update(of=WaitingEntry)
    return work.session.execute(first, _of(slot)).one_or_none()


def _offer(work: Work, slot: Slot, entry_id: UUID) -> None:
    until = work.now + rules.OFFER_LIFE
    waiting_entries.move(work, [entry_id], "offer", values={"offered_slot_id": slot.id, "offer_until": until})
    work.later(LAPSE, entry_id, run_at=until)
    params = {"until": rules.clock_time(until), "time": rules.clock_time(slot.starts_at)}
    tell(work, entry_id, "waiting_offered", params, f"{slot.id}:{until.timestamp():.0f}")


def lapse(work: Work, entry_id: UUID) -> None:
    """The time of an offer is over: the place goes to the next. Nothing if it was taken, or is another offer by now."""
    row = offered(work, entry_id)
    if row is None or row.offer_until is None or row.offer_until > work.now:
        return
    slot_id = row.offered_slot_id
    end(work, [row.id], "lapse", rules.LATE)
    assert slot_id is not None
    hand_on(work, slot_id)


def offered(work: Work, entry_id: UUID) -> WaitingEntry | None:
    """An entry with an open offer, locked, its slot locked first; None if there is no such offer (any more)."""
    row = work.session.get(WaitingEntry, entry_id, populate_existing=True)
    if row is None or row.status != WaitingState.OFFERED or row.offered_slot_id is None:
        return None
    slot_id = row.offered_slot_id
    places.lock(work, slot_id)
    row = work.session.get(WaitingEntry, entry_id, with_for_update=True, populate_existing=True)
    assert row is not None
    return row if row.status == WaitingState.OFFERED and row.offered_slot_id == slot_id else None


def hand_on(work: Work, slot_id: UUID) -> None:
    """A place is given back: to the first in line, or to everybody."""
    places.release(work, slot_id)
    fill(work, slot_id)


def put_back(work: Work, appointment_id: UUID) -> None:
    """The hospital had no place behind the offer that became this appointment: its entry stands where it stood. The
    slot is locked."""
    entry_id = work.session.scalar(select(WaitingEntry.id).where(WaitingEntry.appointment_id == appointment_id))
    if entry_id is None:
        return
    values = {"appointment_id": None, "offered_slot_id": None, "offer_until": None}
    waiting_entries.move(work, [entry_id], "return", values=values)
    tell(work, entry_id, "waiting_resumed", {"reason": rules.UNHAD}, str(appointment_id))


def in_vain(work: Work, person_id: UUID, slot: Slot) -> Sequence[UUID]:
    """What the person waits for that a place of this slot would serve as well."""
    return [row.id for row in _IN_VAIN.all(work.session, {"of_person_id": person_id, **_of(slot)})]


def has_booked(work: Work, person_id: UUID, slot: Slot, *, by: UUID | None = None) -> None:
    """Who has a place waits for it no longer. `by` is the entry whose offer this was; an offer that the person holds in
    another slot stays open until it lapses."""
    found = [entry_id for entry_id in in_vain(work, person_id, slot) if entry_id != by]
    if not found:
        return
    moved = end(work, found, "leave", rules.BOOKED, tells=False)
    for entry_id in found:
        if moved.get(entry_id) == WaitingState.OFFERED:
            hand_on(work, slot.id)


def end(work: Work, entry_ids: Collection[UUID], event: str, why: str, *, tells: bool = True) -> dict[UUID, str]:
    """End what is still live of these entries; the state that each which ended was in."""
    if not entry_ids:
        return {}
    moved = waiting_entries.move(work, entry_ids, event, values={"why": why}, lenient=True)
    for one in moved if tells else ():
        tell(work, one.id, "waiting_over", {"reason": rules.REASONS[why]}, why)
    return {one.id: one.old for one in moved}


def tell(work: Work, entry_id: UUID, template: str, params: dict[str, str], which: str) -> None:
    row = work.session.get(WaitingEntry, entry_id)
    assert row is not None
    told = notification.Told(row.account_id, row.id, f"{template}:{row.id}:{which}", row.person_id)
    notification.notify(work, template, told, params)
