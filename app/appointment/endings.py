"""How an appointment ends: refused, expired, cancelled by the patient or with the clinic, attended, missed.

Whoever ends one locks its slot first, as booking and stopping do, so that none of them waits for another in a circle.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from app.appointment import places, queries, rules
from app.appointment.models import Appointment, Slot
from app.appointment.states import LIVE, State, appointments
from app.appointment.waiting import closing, offers
from app.core.clock import SHANGHAI
from app.core.errors import Conflict, NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.notification import service as notification
from app.payment import service as payment

LANE = "booking"


def held(work: Work, appointment_id: UUID) -> Appointment:
    """The appointment as it is now, its slot locked."""
    slot_id = work.session.scalar(select(Appointment.slot_id).where(Appointment.id == appointment_id))
    if slot_id is None:
        raise NotFound
    places.lock(work, slot_id)
    row = work.session.get(Appointment, appointment_id, populate_existing=True)
    assert row is not None
    return row


def cancel(work: Work, account_id: UUID, appointment_id: UUID) -> Appointment:
    """The patient gives it up: the place is free, the fee goes back, the hospital forgets it. Conflict `too_late`."""
    row = queries.appointment(work.session, appointment_id)
    if row is None or row.account_id != account_id:
        raise NotFound
    row = held(work, appointment_id)
    slot = queries.slot(work.session, row.slot_id)
    assert slot is not None
    until = rules.cancel_until(slot.starts_at, exchange.party(work.session, row.hospital_id).config)
    if row.status == State.BOOKED and until <= work.clock.horizon():
        raise Conflict("too_late", f"{until.astimezone(SHANGHAI):%m-%d %H:%M} 起不能再取消")
    appointments.move(work, [row.id], "cancel")
    _give_back(work, row, "用户取消预约")
    tell_hospital_cancelled(work, row)
    work.emit("appointment.cancelled", row.id)
    return row


def stop_clinic(work: Work, hospital_id: UUID, slot_keys: Collection[str]) -> None:
    """停诊: every live appointment of these slots is cancelled, told and refunded, and nobody waits for them any more.
    The hospital is told of each like of any other: a clinic that it opens again must not hold them. The rows of the
    slots are locked."""
    if not slot_keys:
        return
    wanted = select(Slot).where(Slot.hospital_id == hospital_id, Slot.key.in_(slot_keys)).order_by(Slot.key)
    stopped = work.session.scalars(wanted.execution_options(populate_existing=True)).all()
    closing.stop(work, stopped)
    here = Appointment.slot_id.in_([slot.id for slot in stopped])
    live = select(Appointment.id).where(here, Appointment.status.in_(LIVE))
    ids = list(work.session.scalars(live))
    values = {"refused_code": rules.STOPPED}
    for moved in appointments.move(work, ids, "cancel", values=values, lenient=True, why=rules.STOPPED) if ids else []:
        row = work.session.get(Appointment, moved.id)
        assert row is not None
        _give_back(work, row, "医生停诊")
        tell_hospital_cancelled(work, row)
        work.emit("appointment.cancelled", row.id)
        tell(work, row, "appointment_cancelled", {"reason": rules.REFUSALS[rules.STOPPED]})


def refuse(work: Work, row: Appointment, code: str) -> None:
    """The hospital does not take it, or does not answer. A place that it does not have goes to nobody else, and who had
    waited for it waits on where they stood."""
    if appointments.move(work, [row.id], "refuse", values={"refused_code": code[:60]}, lenient=True):
        if code in rules.NO_PLACE:
            places.withdraw(work, row.slot_id)
            offers.put_back(work, row.id)
        else:
            offers.hand_on(work, row.slot_id)
        refund(work, row, "医院未能确认预约")
        tell(work, row, "appointment_refused", {"reason": rules.REFUSALS.get(code, rules.REFUSED)})


def fee_closed(work: Work, appointment_id: UUID) -> None:
    """Nobody has paid, and nobody can any more: the place is free again."""
    row = held(work, appointment_id)
    if row.payment_order_id is None:
        return
    code = payment.why_closed(work.session, row.payment_order_id)
    if appointments.move(work, [row.id], "expire", values={"refused_code": code}, lenient=True):
        offers.hand_on(work, row.slot_id)
        tell(work, row, "appointment_cancelled", {"reason": rules.UNPAID[code]})


def fee_refunded(work: Work, appointment_id: UUID) -> None:
    tell(work, work.session.get_one(Appointment, appointment_id), "refunded", {"what": "挂号费"})


def fee_not_refunded(work: Work, appointment_id: UUID) -> None:
    """WeChat Pay cannot bring the fee back: a person has to help, and the patient is told whom to ask."""
    tell(work, work.session.get_one(Appointment, appointment_id), "refund_failed", {})


def note_missed(work: Work) -> int:
    """Appointments whose slot is long over without a visit; how many."""
    over = (Appointment.status == State.BOOKED, Slot.ends_at < work.clock.horizon() - rules.MISSED_AFTER)
    missed = select(Appointment.id).join(Slot, Slot.id == Appointment.slot_id).where(*over)
    ids = list(work.session.scalars(missed.limit(rules.MISSED_AT_ONCE)))
    return len(appointments.move(work, ids, "miss", lenient=True)) if ids else 0


def tell_hospital_cancelled(work: Work, row: Appointment) -> None:
    """Only a hospital that was asked has something to forget."""
    if row.command_id is not None:
        body = {"appointment_no": row.no}
        exchange.command(work, row.hospital_id, "cancel_appointment", body, lane=LANE, subject=row.id)


def refund(work: Work, row: Appointment, reason: str) -> None:
    """An open order is closed, a paid one refunded."""
    if row.payment_order_id is None:
        return
    if payment.state(work.session, row.payment_order_id) == "paid":
        payment.refund(work, row.payment_order_id, row.fee_fen, reason)
    else:
        payment.close(work, row.payment_order_id)


def tell(work: Work, row: Appointment, template: str, params: dict[str, str], which: str = "") -> None:
    """Once for each `which`."""
    notification.notify(work, template, _told(row, f"{template}:{row.id}" + (f":{which}" if which else "")), params)


def tell_payer(work: Work, row: Appointment) -> None:
    notification.tell_payer(work, _told(row, f"payment_used:{row.id}"), "挂号费")


def _told(row: Appointment, dedupe: str) -> notification.Told:
    return notification.Told(row.account_id, row.id, dedupe, row.person_id)


def _give_back(work: Work, row: Appointment, reason: str) -> None:
    offers.hand_on(work, row.slot_id)
    refund(work, row, reason)
