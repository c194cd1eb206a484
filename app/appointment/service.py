"""Booking and cancelling. The database counts places; the hospital confirms before success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.appointment import contracts as c
from app.appointment import queries, rules
from app.appointment.models import Appointment, Department, Doctor, Slot
from app.appointment.states import LIVE, State, appointments
from app.core.clock import SHANGHAI
from app.core.errors import Conflict, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer, OpenBatch, Verdict
from app.identity import service as identity
from app.notification import service as notification
from app.payment import service as payment

LANE = "booking"
_MODELS: Mapping[str, tuple[Any, type[c.RowIn]]] = {
    "department": (Department, c.DepartmentIn),
    "doctor": (Doctor, c.DoctorIn),
    "slot": (Slot, c.SlotIn),
}


def apply_catalogue(work: Work, batch: OpenBatch) -> list[Verdict]:
    """Departments, doctors and slots that a hospital pushed; an older version never replaces a newer one."""
    verdicts = []
    for row in batch.rows:
        model, contract = _MODELS.get(row["type"], (None, None))
        if model is None or contract is None:
            verdicts.append(Verdict(row["type"], row["key"], "refused", "unknown_type"))
            continue
        try:
            data = contract.model_validate(row["data"]).model_dump()
        except ValidationError as error:
            kind = error.errors(include_input=False, include_url=False)[0]["type"]
            verdicts.append(Verdict(row["type"], row["key"], "refused", kind))
            continue
        applied = _put(work, batch.party_id, model, row, data)
        verdicts.append(Verdict(row["type"], row["key"], "applied" if applied else "stale", None))
    return verdicts


def _put(work: Work, hospital_id: UUID, model: Any, row: Mapping[str, Any], data: dict[str, Any]) -> bool:
    known_by = "key" if model is Slot else "code"
    if model is Slot:
        data["stopped"] = data.pop("status") == "stopped"
        data["key"] = row["key"]
    values = {"hospital_id": hospital_id, "version": row["version"], **data}
    new = insert(model).values(id=model().id, **values)
    changed = {name: new.excluded[name] for name in values if name not in ("hospital_id", known_by)}
    if model is Slot:  # places that are sold stay sold when the hospital takes capacity back
        changed["capacity"] = func.greatest(new.excluded.capacity, Slot.taken)
    stored = work.session.execute(
        new.on_conflict_do_update(
            index_elements=["hospital_id", known_by], set_=changed, where=model.version < new.excluded.version
        ).returning(model.id)
    ).one_or_none()
    if stored is not None and model is Slot and values["stopped"]:
        _stop_clinic(work, stored.id)
    return stored is not None


def _stop_clinic(work: Work, slot_id: UUID) -> None:
    """停诊: every live appointment of the slot is cancelled, told and refunded."""
    live = select(Appointment.id).where(Appointment.slot_id == slot_id, Appointment.status.in_(LIVE))
    ids = list(work.session.scalars(live))
    for moved in appointments.move(work, ids, "cancel", lenient=True, why="slot_stopped"):
        row = _get(work, moved.id)
        _give_back(work, row, "医生停诊")
        work.emit("appointment.cancelled", row.id)
        _tell(work, row, "appointment_cancelled", {"reason": rules.REFUSALS["slot_stopped"]})


def book(work: Work, account_id: UUID, wanted: c.Book) -> Appointment:
    """Take a place and ask for the fee, or for the hospital's confirmation where there is none.

    Conflict `slot_full`, `slot_stopped`, `slot_past` names free slots nearby in `fields`; `already_booked` if the
    person holds a live appointment for this slot.
    """
    identity.require_person(work.session, account_id, wanted.person_id)
    slot = queries.slot(work.session, wanted.slot_id)
    if slot is None:
        raise NotFound
    _take_place(work, slot)
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
        raise Conflict("already_booked", "您已经预约了这个号源") from error
    if slot.fee_fen:
        _ask_fee(work, row)
    else:
        _ask_hospital(work, row, slot)
    return row


def _take_place(work: Work, slot: Slot) -> None:
    free = (Slot.id == slot.id, Slot.taken < Slot.capacity, ~Slot.stopped, Slot.ends_at > work.now)
    taken = update(Slot).where(*free).values(taken=Slot.taken + 1).returning(Slot.id)
    if work.session.scalar(taken.execution_options(synchronize_session=False)) is not None:
        return
    work.session.refresh(slot)
    code, message = ("slot_full", "该号源已约满")
    if slot.stopped:
        code, message = "slot_stopped", "医生停诊，请选择其他号源"
    elif slot.ends_at <= work.now:
        code, message = "slot_past", "该号源已过时间"
    near = queries.free_nearby(work.session, slot, work.now)
    raise Conflict(
        code, message, fields={str(s.id): f"{s.starts_at.astimezone(SHANGHAI):%m-%d %H:%M} 有号" for s in near}
    )


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


def _ask_hospital(work: Work, row: Appointment, slot: Slot) -> None:
    person = identity.facts(work, row.person_id, "the hospital confirms an appointment")
    body = {
        "appointment_no": row.no,
        "slot_key": slot.key,
        "name": person.name,
        "document_no": person.document_no,
        "phone": person.phone,
    }
    exchange.command(work, row.hospital_id, "confirm_appointment", body, lane=LANE, subject=row.id)


def fee_paid(work: Work, appointment_id: UUID) -> None:
    """The fee has come in: now the hospital is asked. Money for an appointment that is over goes back."""
    row = _get(work, appointment_id)
    slot = queries.slot(work.session, row.slot_id)
    assert slot is not None
    if row.status == State.PENDING:
        _ask_hospital(work, row, slot)
    else:
        _refund(work, row, "预约已失效")


def fee_closed(work: Work, appointment_id: UUID) -> None:
    """The deadline has passed without payment: the place is free again."""
    if appointments.move(work, [appointment_id], "expire", lenient=True):
        row = _get(work, appointment_id)
        _free_place(work, row)


def hospital_answered(work: Work, answer: CommandAnswer) -> None:
    """confirm_appointment came back: booked, refused, or to be asked again under the same number."""
    row = _get(work, answer.subject)
    if answer.outcome == "done":
        _confirm(work, row)
    elif answer.outcome == "refused":
        if appointments.move(work, [row.id], "refuse", values={"refused_code": answer.code}, lenient=True):
            _give_back(work, row, "医院未能确认预约")
            reason = rules.REFUSALS.get(answer.code or "", rules.REFUSED)
            _tell(work, row, "appointment_refused", {"reason": reason})
    elif row.status == State.PENDING:
        slot = queries.slot(work.session, row.slot_id)
        assert slot is not None
        _ask_hospital(work, row, slot)


def _confirm(work: Work, row: Appointment) -> None:
    if appointments.move(work, [row.id], "confirm", lenient=True):
        work.emit("appointment.booked", row.id)
        slot = queries.slot(work.session, row.slot_id)
        assert slot is not None
        _tell(work, row, "appointment_booked", {"time": f"{slot.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"})
    elif row.status == State.CANCELLED:  # cancelled while the hospital was asked: it must forget the place again
        _tell_hospital_cancelled(work, row)


def cancel(work: Work, account_id: UUID, appointment_id: UUID) -> Appointment:
    row = queries.appointment(work.session, appointment_id)
    if row is None or row.account_id != account_id:
        raise NotFound
    appointments.move(work, [row.id], "cancel")
    _give_back(work, row, "用户取消预约")
    _tell_hospital_cancelled(work, row)
    work.emit("appointment.cancelled", row.id)
    return row


def attended(work: Work, hospital_id: UUID, no: str) -> None:
    """The hospital has pushed the visit of this appointment, if it is one of its own."""
    mine = (Appointment.no == no, Appointment.hospital_id == hospital_id)
    row_id = work.session.scalar(select(Appointment.id).where(*mine))
    if row_id is not None:
        appointments.move(work, [row_id], "attend", lenient=True)


def _tell_hospital_cancelled(work: Work, row: Appointment) -> None:
    body = {"appointment_no": row.no}
    exchange.command(work, row.hospital_id, "cancel_appointment", body, lane=LANE, subject=row.id)


def _give_back(work: Work, row: Appointment, reason: str) -> None:
    """The place, and the fee if there was one: an open order is closed, a paid one refunded."""
    _free_place(work, row)
    if row.payment_order_id is not None:
        _refund(work, row, reason)


def _refund(work: Work, row: Appointment, reason: str) -> None:
    assert row.payment_order_id is not None
    if payment.state(work.session, row.payment_order_id) == "paid":
        payment.refund(work, row.payment_order_id, row.fee_fen, reason)
    else:
        payment.close(work, row.payment_order_id)


def _free_place(work: Work, row: Appointment) -> None:
    free = update(Slot).where(Slot.id == row.slot_id).values(taken=Slot.taken - 1)
    work.session.execute(free.execution_options(synchronize_session=False))


def _tell(work: Work, row: Appointment, template: str, params: dict[str, str]) -> None:
    notification.notify(
        work, template, account_id=row.account_id, subject=row.id, params=params, dedupe=f"{template}:{row.id}"
    )


def _get(work: Work, appointment_id: UUID) -> Appointment:
    row = queries.appointment(work.session, appointment_id)
    if row is None:
        raise NotFound
    return row
