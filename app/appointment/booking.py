"""Taking a place: the database counts places, the fee comes first, the hospital confirms before success."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.appointment import contracts as c
from app.appointment import early, endings, queries, rules
from app.appointment.models import Appointment, Slot
from app.appointment.states import LIVE, State, appointments
from app.core.clock import SHANGHAI
from app.core.errors import Conflict, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.identity import service as identity
from app.payment import service as payment

ASK = "appointment.ask"
_TWICE = ("already_booked", "您已经预约了这个号源")


def book(work: Work, account_id: UUID, wanted: c.Book) -> Appointment:
    """Take a place and ask for the fee, or for the hospital's confirmation where there is none.

    Conflict `slot_full`, `slot_stopped`, `slot_past` names free slots nearby in `fields`; `already_booked` if the
    person holds a live appointment for this slot; `pay_elsewhere` if the fee cannot be paid from this app.
    """
    identity.require_person(work.session, account_id, wanted.person_id)
    slot = queries.slot(work.session, wanted.slot_id)
    if slot is None:
        raise NotFound
    _require_open(work, slot, wanted.person_id)
    row = Appointment(
        no=partner_number("ap"),
        hospital_id=slot.hospital_id,
        slot_id=slot.id,
        account_id=account_id,
        person_id=wanted.person_id,
        fee_fen=slot.fee_fen,
    )
    appointments.start(work, row, State.PENDING)
    try:
        work.session.flush()
    except IntegrityError as error:
        raise Conflict(*_TWICE) from error
    if row.fee_fen:
        _ask_fee(work, row)
    else:
        _ask_hospital(work, row)
    work.last(lambda: _take_place(work, slot))
    return row


def _take_place(work: Work, slot: Slot) -> None:
    """The database decides, at the very end: everybody who wants this slot waits for its row until the commit."""
    free = (Slot.id == slot.id, Slot.taken < Slot.capacity, ~Slot.stopped, Slot.ends_at > work.clock.horizon())
    taken = update(Slot).where(*free).values(taken=Slot.taken + 1).returning(Slot.id)
    if work.session.scalar(taken.execution_options(synchronize_session=False)) is None:
        work.session.refresh(slot)
        raise early.refusal(work.session, slot, work.clock.horizon())


def _require_open(work: Work, slot: Slot, person_id: UUID) -> None:
    """Whoever has the place already is told so, also when no other is left."""
    horizon = work.clock.horizon()
    if slot.taken < slot.capacity and not slot.stopped and slot.ends_at > horizon:
        return
    mine = (Appointment.slot_id == slot.id, Appointment.person_id == person_id, Appointment.status.in_(LIVE))
    if work.session.scalar(select(Appointment.id).where(*mine)) is not None:
        raise Conflict(*_TWICE)
    raise early.refusal(work.session, slot, horizon)


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


def fee_paid(work: Work, appointment_id: UUID) -> None:
    """The fee has come in: now the hospital is asked. Money for an appointment that is over goes back."""
    row = endings.held(work, appointment_id)
    if row.status != State.PENDING:
        endings.refund(work, row, "预约已失效")
    elif row.command_id is None:
        _ask_hospital(work, row)


def ask_again(work: Work, appointment_id: UUID) -> None:
    row = endings.held(work, appointment_id)
    if row.status == State.PENDING:
        _ask_hospital(work, row)


def _ask_hospital(work: Work, row: Appointment) -> None:
    slot = queries.slot(work.session, row.slot_id)
    assert slot is not None
    person = identity.facts(work, row.person_id, "the hospital confirms an appointment")
    body = {
        "appointment_no": row.no,
        "slot_key": slot.key,
        "name": person.name,
        "document_no": person.document_no,
        "phone": person.phone,
    }
    deadline = work.now + rules.COMMAND_LIFE
    row.command_id = exchange.command(
        work, row.hospital_id, "confirm_appointment", body, lane=endings.LANE, subject=row.id, deadline=deadline
    )
    row.tries, row.asked_at = row.tries + 1, row.asked_at or work.now


def hospital_answered(work: Work, answer: CommandAnswer) -> None:
    """confirm_appointment came back: booked, refused, or to be asked again under the same number for a while."""
    assert answer.subject is not None
    row = endings.held(work, answer.subject)
    if answer.outcome == "done":
        _confirm(work, row)
    elif answer.outcome == "refused":
        endings.refuse(work, row, answer.code or "refused")
    elif row.status == State.PENDING and answer.command_id == row.command_id:
        if work.now - (row.asked_at or work.now) < rules.CONFIRM_PATIENCE:
            work.later(ASK, row.id, run_at=work.now + rules.ask_pause(row.tries))
        else:  # it may have confirmed all the same
            endings.refuse(work, row, rules.SILENT)
            endings.tell_hospital_cancelled(work, row)


def _confirm(work: Work, row: Appointment) -> None:
    if appointments.move(work, [row.id], "confirm", lenient=True):
        work.emit("appointment.booked", row.id)
        slot = queries.slot(work.session, row.slot_id)
        assert slot is not None
        time = f"{slot.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        endings.tell(work, row, "appointment_booked", {"time": time})
    elif row.status not in (State.BOOKED, State.ATTENDED, State.NO_SHOW):
        endings.tell_hospital_cancelled(work, row)  # given up while it was asked: it must forget the place again
