"""The hospital's word: asked once the fee is there, asked again while it is in trouble, before anything is success."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.appointment import endings, queries, reminding, rules
from app.appointment.models import Appointment, Slot
from app.appointment.states import GIVEN_UP, State, appointments
from app.core.clock import SHANGHAI
from app.core.sequence import next_no
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.identity import service as identity

ASK = "appointment.ask"


def fee_paid(work: Work, appointment_id: UUID) -> None:
    """The fee has come in: now the hospital is asked. Money for an appointment that is over goes back."""
    row = endings.held(work, appointment_id)
    if row.status != State.PENDING:
        endings.refund(work, row, "预约已失效")
    elif row.command_id is None:
        _ask(work, row)


def ask_again(work: Work, appointment_id: UUID) -> None:
    row = endings.held(work, appointment_id)
    if row.status == State.PENDING:
        _ask(work, row)


def _ask(work: Work, row: Appointment) -> None:
    slot = queries.slot(work.session, row.slot_id)
    assert slot is not None
    ask(work, row, slot)


def ask(work: Work, row: Appointment, slot: Slot) -> None:
    person = identity.facts(work, row.person_id, "the hospital confirms an appointment")
    body = {
        "appointment_no": row.no,
        "slot_key": slot.key,
        "name": person.name,
        "document_no": person.document_no,
        "phone": person.phone,
        "medical_card_no": None if row.self_pay else person.medical_card_no,
    }
    # The question stands as long as the place is held: others may be in front of it at the hospital.
    row.tries, row.asked_at = row.tries + 1, row.asked_at or work.now
    deadline = row.asked_at + rules.CONFIRM_PATIENCE
    row.command_id = exchange.command(
        work, row.hospital_id, "confirm_appointment", body, lane=endings.LANE, subject=row.id, deadline=deadline
    )


def hospital_answered(work: Work, answer: CommandAnswer) -> None:
    """confirm_appointment came back: booked, refused, or to be asked again under the same number for a while.

    What was in doubt may still have been done, also after our first word that it is over: then it is said once more.
    What one question was confirmed by is not ended by the refusal of another.
    """
    assert answer.subject is not None
    row = endings.held(work, answer.subject)
    if answer.outcome == "done":
        _confirm(work, row)
    elif answer.outcome == "refused" and row.status in (State.PENDING, *GIVEN_UP):
        endings.refuse(work, row, answer.code or "refused")
        if row.tries > 1:  # an earlier question may have been heard all the same
            endings.tell_hospital_cancelled(work, row)
    elif row.status == State.PENDING and answer.command_id == row.command_id:
        if work.now - (row.asked_at or work.now) < rules.CONFIRM_PATIENCE:
            work.later(ASK, row.id, run_at=work.now + rules.ask_pause(row.tries))
        else:  # it may have confirmed all the same
            endings.refuse(work, row, rules.SILENT)
            endings.tell_hospital_cancelled(work, row)
    elif row.status in GIVEN_UP:
        endings.tell_hospital_cancelled(work, row)


def attended(work: Work, hospital_id: UUID, no: str) -> None:
    """The hospital has pushed the visit of this appointment, if it is one of its own. Where its answer to our question
    has not come yet, this is its word."""
    mine = (Appointment.no == no, Appointment.hospital_id == hospital_id)
    row = work.session.scalar(select(Appointment).where(*mine))
    if row is None:
        return
    if row.status == State.PENDING and row.command_id is not None:
        _confirm(work, row)
    appointments.move(work, [row.id], "attend", lenient=True)


def _confirm(work: Work, row: Appointment) -> None:
    if row.status == State.PENDING:
        place = next_no(work.session, rules.arrivals(row.hospital_id))
        appointments.move(work, [row.id], "confirm", values={"arrival_no": place})
        work.emit("appointment.booked", row.id)
        slot = queries.slot(work.session, row.slot_id)
        assert slot is not None
        time = f"{slot.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        endings.tell(work, row, "appointment_booked", {"time": time})
        if row.payment_order_id is not None:
            endings.tell_payer(work, row)
        reminding.plan(work, row.id, slot)
    elif row.status in GIVEN_UP:
        endings.tell_hospital_cancelled(work, row)  # given up while it was asked: it must forget the place again
