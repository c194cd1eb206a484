from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.appointment.models import Appointment, Department, Doctor, Slot
from app.appointment.rules import NEARBY
from app.core.clock import SHANGHAI
from app.core.paging import PageQuery, page


def departments(session: Session, hospital_id: UUID) -> Sequence[Department]:
    return session.scalars(
        select(Department).where(Department.hospital_id == hospital_id).order_by(Department.code)
    ).all()


def doctors(session: Session, hospital_id: UUID, department: str | None) -> Sequence[Doctor]:
    wanted = select(Doctor).where(Doctor.hospital_id == hospital_id).order_by(Doctor.code)
    return session.scalars(wanted.where(Doctor.department_code == department) if department else wanted).all()


def slots(
    session: Session, hospital_id: UUID, *, department: str | None, doctor: str | None, on: date | None
) -> Sequence[Slot]:
    """Slots by time, at most 200; `on` is a day in Shanghai."""
    wanted = select(Slot).where(Slot.hospital_id == hospital_id)
    if department:
        wanted = wanted.where(Slot.department_code == department)
    if doctor:
        wanted = wanted.where(Slot.doctor_code == doctor)
    if on:
        start = datetime(on.year, on.month, on.day, tzinfo=SHANGHAI)
        wanted = wanted.where(Slot.starts_at >= start, Slot.starts_at < start + timedelta(days=1))
    return session.scalars(wanted.order_by(Slot.starts_at, Slot.key).limit(200)).all()


def free_nearby(session: Session, slot: Slot, now: datetime) -> Sequence[Slot]:
    """Free slots of the same department, the nearest in time first."""
    near = (Slot.hospital_id == slot.hospital_id, Slot.department_code == slot.department_code, Slot.id != slot.id)
    free = (~Slot.stopped, Slot.taken < Slot.capacity, Slot.ends_at > now)
    distance = func.abs(func.extract("epoch", Slot.starts_at - slot.starts_at))
    return session.scalars(select(Slot).where(*near, *free).order_by(distance, Slot.key).limit(NEARBY)).all()


def page_of_account(session: Session, account_id: UUID, query: PageQuery) -> tuple[Sequence[Appointment], UUID | None]:
    return page(session, select(Appointment).where(Appointment.account_id == account_id), Appointment.id, query)


def slot(session: Session, slot_id: UUID) -> Slot | None:
    return session.get(Slot, slot_id)


def slots_of(session: Session, rows: Sequence[Appointment]) -> dict[UUID, Slot]:
    """The slots of these appointments, by their ids."""
    found = session.scalars(select(Slot).where(Slot.id.in_({row.slot_id for row in rows})))
    return {one.id: one for one in found}


def appointment(session: Session, appointment_id: UUID) -> Appointment | None:
    return session.get(Appointment, appointment_id)
