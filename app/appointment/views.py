"""Appointments and slots as callers read them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.appointment import contracts as c
from app.appointment import queries, rules
from app.appointment.booking import Booked
from app.appointment.models import Appointment, Slot
from app.exchange import service as exchange
from app.payment import queries as payment
from app.payment.queries import GivenBack


def booked(session: Session, made: Booked) -> c.AppointmentView:
    return _view(session, made.row, made.slot)


def one(session: Session, row: Appointment) -> c.AppointmentView:
    found = queries.slot(session, row.slot_id)
    assert found is not None
    return _view(session, row, found, payment.given_back(session, [row.payment_order_id])[row.payment_order_id])


def many(session: Session, rows: Sequence[Appointment]) -> list[c.AppointmentView]:
    slots = queries.slots_of(session, rows)
    back = payment.given_back(session, [row.payment_order_id for row in rows])
    return [_view(session, row, slots[row.slot_id], back[row.payment_order_id]) for row in rows]


def slot(row: Slot) -> c.SlotView:
    return c.SlotView(
        id=row.id,
        department_code=row.department_code,
        doctor_code=row.doctor_code,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        fee_fen=row.fee_fen,
        left=row.capacity - row.taken,
        stopped=row.stopped,
    )


def _view(
    session: Session, row: Appointment, slot_row: Slot, back: GivenBack = payment.NOTHING_BACK
) -> c.AppointmentView:
    refused = rules.REFUSALS.get(row.refused_code, rules.REFUSED) if row.refused_code else None
    return c.AppointmentView(
        id=row.id,
        no=row.no,
        hospital_id=row.hospital_id,
        slot_id=row.slot_id,
        person_id=row.person_id,
        status=row.status,
        status_since=row.status_since,
        starts_at=slot_row.starts_at,
        fee_fen=row.fee_fen,
        payment_id=row.payment_order_id,
        pay_by=row.pay_by,
        self_pay=row.self_pay,
        cancel_until=rules.cancel_until(slot_row.starts_at, exchange.party_config(session, row.hospital_id)),
        refused_code=row.refused_code,
        refused=refused,
        **back._asdict(),
    )
