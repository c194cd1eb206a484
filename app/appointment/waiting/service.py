"""Joining the waiting list, leaving it, and taking what it offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.appointment import booking, holding, places, refusals
from app.appointment.booking import Booked
from app.appointment.models import Appointment, Doctor, Slot
from app.appointment.states import LIVE
from app.appointment.waiting import closing, offers, queries, rules
from app.appointment.waiting import contracts as c
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState, waiting_entries
from app.core.errors import Conflict, LostRace, NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.payment import service as payment


def join(work: Work, account_id: UUID, wanted: c.Join) -> WaitingEntry:
    """A place at the end of the line.

    Conflict `slot_free` where a place can be had at once, `slot_stopped`, `slot_past`, `day_past`, `no_clinic` where
    there is nothing to wait for, `already_booked`, `already_waiting`, `pay_elsewhere`; NotFound `hospital_unknown`,
    `doctor_unknown`.
    """
    identity.require_person(work.session, account_id, wanted.person_id)
    booking.require_card(work, wanted)
    slots = _slots(work, wanted)
    _require_worth(work, slots, wanted.person_id)
    if any(slot.fee_fen for slot in slots):
        payment.require_payable(work.session, slots[0].hospital_id, account_id)
    row = WaitingEntry(
        hospital_id=slots[0].hospital_id,
        account_id=account_id,
        person_id=wanted.person_id,
        slot_id=wanted.slot_id,
        doctor_code=wanted.doctor,
        day=wanted.on,
        self_pay=wanted.self_pay,
    )
    waiting_entries.start(work, row, WaitingState.WAITING)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise Conflict("already_waiting", "您已经在候补中") from error
    return row


def _slots(work: Work, wanted: c.Join) -> Sequence[Slot]:
    """What is waited for, locked in the order of keys: nothing frees or fills between the look and the joining. Locked
    with its key, because nobody may join while an appointment that refers to it is being written."""
    mine = select(Slot).order_by(Slot.key).with_for_update()
    if wanted.slot_id is not None:
        found = work.session.scalars(mine.where(Slot.id == wanted.slot_id)).all()
        if not found:
            raise NotFound
        return found
    hospitals = {one.code: one.id for one in exchange.parties(work.session, "hospital")}
    if wanted.hospital not in hospitals:
        raise NotFound("hospital_unknown", "没有找到这家医院")
    hospital_id = hospitals[wanted.hospital]
    found = work.session.scalars(mine.where(places.of_day(hospital_id, wanted.doctor, wanted.on))).all()
    if not found:
        _refuse_day(work, hospital_id, wanted)
    return found


def _refuse_day(work: Work, hospital_id: UUID, wanted: c.Join) -> NoReturn:
    """There is no slot on this day."""
    doctor = (Doctor.hospital_id == hospital_id, Doctor.code == wanted.doctor)
    if work.session.scalar(select(Doctor.id).where(*doctor)) is None:
        raise NotFound("doctor_unknown", "这家医院没有这位医生")
    if wanted.on is not None and wanted.on < work.clock.today():
        raise Conflict("day_past", "这一天已经过去，请选择其他日期")
    raise _no_clinic()


def _no_clinic() -> Conflict:
    return Conflict("no_clinic", "这一天没有可以候补的号源")


def _require_worth(work: Work, slots: Sequence[Slot], person_id: UUID) -> None:
    soon = work.clock.horizon() + rules.OFFER_LIFE
    left = [slot for slot in slots if not slot.stopped and slot.starts_at > soon]
    if not left and len(slots) == 1:
        refusals.refuse(work, slots[0], "slot_stopped" if slots[0].stopped else "slot_past")
    if not left:
        raise _no_clinic()
    mine = (Appointment.slot_id.in_([slot.id for slot in left]), Appointment.person_id == person_id)
    if work.session.scalar(select(Appointment.id).where(*mine, Appointment.status.in_(LIVE)).limit(1)) is not None:
        raise Conflict("already_booked", "您已经预约了这个号源")
    free = [slot for slot in left if slot.taken < slot.capacity]
    if free:
        raise Conflict("slot_free", "有号，请直接预约", fields=refusals.named(free))


def leave(work: Work, account_id: UUID, entry_id: UUID) -> WaitingEntry:
    """Give up the place in line, or the offer: its place goes to the next."""
    row = _mine(work, account_id, entry_id)
    if not closing.leave(work, entry_id, rules.GIVEN_UP):
        raise LostRace(waiting_entries.name, "leave", [entry_id])
    return row


def accept(work: Work, account_id: UUID, entry_id: UUID) -> Booked:
    """Take what is offered: an appointment as if booked now, with its fee and the hospital's word still to come.

    Conflict `offer_over` where there is no offer (any more), `too_many_appointments` as holding has it; NotFound
    `person_unknown` for an account that is not bound to the person any more.
    """
    row = _mine(work, account_id, entry_id)
    identity.require_person(work.session, account_id, row.person_id)
    holding.require_room(work, account_id, row.person_id, row.offered_slot_id)
    held = offers.offered(work, entry_id)
    if held is None or held.offer_until is None or held.offer_until <= work.now:
        raise Conflict("offer_over", "名额未保留或已过确认时间")
    return booking.take_offer(work, held)


def _mine(work: Work, account_id: UUID, entry_id: UUID) -> WaitingEntry:
    row = queries.entry(work.session, account_id, entry_id)
    if row is None:
        raise NotFound
    return row
