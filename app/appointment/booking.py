"""Taking a place: the database counts places, the fee comes first, the hospital confirms before success."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import select

from app.appointment import confirming, holding, places, queries, refusals, rules
from app.appointment import contracts as c
from app.appointment.models import LIVE_ROWS, Appointment, Slot
from app.appointment.states import LIVE, State, appointments
from app.appointment.waiting import offers
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState, waiting_entries
from app.core.errors import Conflict, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.identity import service as identity
from app.payment import service as payment

_TWICE = ("already_booked", "您已经预约了这个号源")


@dataclass(frozen=True)
class Booked:
    """A new appointment, and its slot."""

    row: Appointment
    slot: Slot


@dataclass(frozen=True)
class NewAppointment:
    """Who is to have a place of which slot."""

    slot: Slot
    account_id: UUID
    person_id: UUID
    self_pay: bool


def book(work: Work, account_id: UUID, wanted: c.Book) -> Booked:
    """Take a place and ask for the fee, or for the hospital's confirmation where there is none.

    1. Whether the slot has a place, without a lock; then all that follows from having one is written.
    2. The place itself when all else is written, by compare-and-set: whoever books the same slot waits for little more
       than a commit. If it is gone by now, so is everything that was written.

    Conflict `slot_full`, `slot_stopped`, `slot_past`, `slot_moved` names free slots nearby in `fields`, and may be
    raised only as the work ends; `already_booked` if the person holds a live appointment for this slot; `pay_elsewhere`
    if the fee cannot be paid from this app. Invalid `medical_card_required`, Conflict `medical_card_differs` as
    identity has them; Conflict `too_many_appointments`, `too_many_in_account` as holding has them. Nothing follows from
    a refusal.
    """
    person = identity.require_person(work.session, account_id, wanted.person_id)
    require_card(work, wanted, person.has_medical_card)
    holding.require_room(work, account_id, wanted.person_id, wanted.slot_id)
    seen = queries.shown_slot(work.session, wanted.slot_id)
    if seen is None:
        raise NotFound
    if (why := refusals.why_not(work, seen)) is not None:
        held = _offered(work, account_id, wanted)
        if held is not None:
            return take_offer(work, held)
        _refuse_twice(work, wanted)
        refusals.refuse(work, seen, why)
    row = _begin(work, NewAppointment(seen, account_id, wanted.person_id, wanted.self_pay))
    # Whoever joins the slot's line locks its key, which the appointment refers to: nobody does so from here on.
    if offers.in_vain(work, wanted.person_id, seen):
        _take(work, seen)
        offers.has_booked(work, wanted.person_id, seen)
    else:
        work.at_last(partial(_take, work, seen))
    return Booked(row, seen)


def require_card(work: Work, wanted: c.Booker, known: bool = False) -> None:
    """A medical-insurance card, unless the patient pays for everything."""
    if not wanted.self_pay and not (known and wanted.medical_card_no is None):
        identity.require_medical_card(work, wanted.person_id, wanted.medical_card_no)


def take_offer(work: Work, held: WaitingEntry) -> Booked:
    """The place that is held for an entry of the waiting list becomes an appointment. Slot and entry are locked."""
    assert held.offered_slot_id is not None
    slot = queries.slot(work.session, held.offered_slot_id)
    assert slot is not None
    row = _begin(work, NewAppointment(slot, held.account_id, held.person_id, held.self_pay))
    waiting_entries.move(work, [held.id], "accept", values={"appointment_id": row.id})
    offers.has_booked(work, held.person_id, slot, by=held.id)
    return Booked(row, slot)


def _offered(work: Work, account_id: UUID, wanted: c.Book) -> WaitingEntry | None:
    """Who books the slot in which a place is held for them, takes that place."""
    mine = (WaitingEntry.person_id == wanted.person_id, WaitingEntry.account_id == account_id)
    here = (WaitingEntry.offered_slot_id == wanted.slot_id, WaitingEntry.status == WaitingState.OFFERED)
    entry_id = work.session.scalar(select(WaitingEntry.id).where(*mine, *here))
    held = offers.offered(work, entry_id) if entry_id is not None else None
    return held if held is not None and held.offer_until is not None and held.offer_until > work.now else None


def _begin(work: Work, new: NewAppointment) -> Appointment:
    """What follows from it is written first and the row last, once and for all."""
    row = Appointment(
        no=partner_number("ap"),
        hospital_id=new.slot.hospital_id,
        slot_id=new.slot.id,
        account_id=new.account_id,
        person_id=new.person_id,
        self_pay=new.self_pay,
        fee_fen=new.slot.fee_fen,
        tries=0,
    )
    if row.fee_fen:
        _ask_fee(work, row)
    else:
        confirming.ask(work, row, new.slot)
    if not appointments.start_once(work, row, State.PENDING, unless=["person_id", "slot_id"], among=LIVE_ROWS):
        raise Conflict(*_TWICE)
    return row


def _take(work: Work, slot: Slot) -> None:
    if places.take(work, slot):
        return
    now = queries.shown_slot(work.session, slot.id)
    assert now is not None
    moved = (now.starts_at, now.doctor_code) != (slot.starts_at, slot.doctor_code)
    refusals.refuse(work, now, refusals.why_not(work, now) or ("slot_moved" if moved else "slot_full"))


def _refuse_twice(work: Work, wanted: c.Book) -> None:
    """Who has a place of this slot is told so, and not that there is none."""
    mine = (Appointment.slot_id == wanted.slot_id, Appointment.person_id == wanted.person_id)
    if work.session.scalar(select(Appointment.id).where(*mine, Appointment.status.in_(LIVE))) is not None:
        raise Conflict(*_TWICE)


def _ask_fee(work: Work, row: Appointment) -> None:
    row.pay_by = work.now + rules.PAYMENT_LIFE
    row.payment_order_id = payment.order(
        work,
        hospital_id=row.hospital_id,
        account_id=row.account_id,
        purpose="appointment",
        subject=row.id,
        amount_fen=row.fee_fen,
        description="挂号费",
        expires_at=row.pay_by,
    )
