from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from app.appointment.contracts import SlotQuery
from app.appointment.models import Appointment, Department, Doctor, Slot
from app.appointment.rules import NEARBY, NEARBY_DAYS
from app.core.bare import Bare
from app.core.clock import SHANGHAI, shanghai_date
from app.core.errors import NotFound
from app.core.paging import PageQuery, page

# Everybody who books asks it: by columns it is read in half the time.
_SHOWN = Bare(select(*Slot.__table__.c).where(Slot.id == bindparam("slot_id")))


@dataclass(frozen=True)
class Arrival:
    """A booking that its hospital has accepted, whatever became of it since."""

    id: UUID
    no: str
    arrival_no: int
    person_id: UUID
    account_id: UUID
    self_pay: bool


def departments(session: Session, hospital_id: UUID) -> Sequence[Department]:
    return session.scalars(
        select(Department).where(Department.hospital_id == hospital_id).order_by(Department.code)
    ).all()


def doctors(session: Session, hospital_id: UUID, department: str | None) -> Sequence[Doctor]:
    wanted = select(Doctor).where(Doctor.hospital_id == hospital_id).order_by(Doctor.code)
    return session.scalars(wanted.where(Doctor.department_code == department) if department else wanted).all()


def slots(session: Session, hospital_id: UUID, query: SlotQuery) -> tuple[Sequence[Slot], UUID | None]:
    """One page of slots by time, and the cursor of the next."""
    wanted = select(Slot).where(Slot.hospital_id == hospital_id)
    if query.department:
        wanted = wanted.where(Slot.department_code == query.department)
    if query.doctor:
        wanted = wanted.where(Slot.doctor_code == query.doctor)
    if query.on:
        start = datetime(query.on.year, query.on.month, query.on.day, tzinfo=SHANGHAI)
        wanted = wanted.where(Slot.starts_at >= start, Slot.starts_at < start + timedelta(days=1))
    if query.cursor:
        last = slot(session, query.cursor)
        if last is None:
            raise NotFound
        wanted = wanted.where(tuple_(Slot.starts_at, Slot.key) > (last.starts_at, last.key))
    rows = session.scalars(wanted.order_by(Slot.starts_at, Slot.key).limit(query.limit + 1)).all()
    more, rows = len(rows) > query.limit, rows[: query.limit]
    return rows, rows[-1].id if more else None


def free_nearby(session: Session, slot: Slot, now: datetime) -> Sequence[Slot]:
    """Free slots of the same department within a week: the nearest day first, on a day the same doctor's, then the
    nearest in time."""
    span = timedelta(days=NEARBY_DAYS)
    near = (Slot.hospital_id == slot.hospital_id, Slot.department_code == slot.department_code, Slot.id != slot.id)
    week = Slot.starts_at.between(slot.starts_at - span, slot.starts_at + span)
    free = (~Slot.stopped, Slot.taken < Slot.capacity, Slot.ends_at > now)
    days = func.abs(func.date(func.timezone("Asia/Shanghai", Slot.starts_at)) - shanghai_date(slot.starts_at))
    distance = func.abs(func.extract("epoch", Slot.starts_at - slot.starts_at))
    order = (days, Slot.doctor_code != slot.doctor_code, distance, Slot.key)
    wanted = select(Slot).where(*near, week, *free).order_by(*order)
    return session.scalars(wanted.limit(NEARBY)).all()


def page_of_account(session: Session, account_id: UUID, query: PageQuery) -> tuple[Sequence[Appointment], UUID | None]:
    return page(session, select(Appointment).where(Appointment.account_id == account_id), Appointment.id, query)


def slot(session: Session, slot_id: UUID) -> Slot | None:
    return session.get(Slot, slot_id)


def shown_slot(session: Session, slot_id: UUID) -> Slot | None:
    """As `slot`, but what is found is no part of the session: to read it, and to compare with what it is later."""
    found = _SHOWN.first(session, {"slot_id": slot_id})
    return Slot(**found._asdict()) if found is not None else None


def slots_of(session: Session, rows: Sequence[Appointment]) -> dict[UUID, Slot]:
    """The slots of these appointments, by their ids."""
    found = session.scalars(select(Slot).where(Slot.id.in_({row.slot_id for row in rows})))
    return {one.id: one for one in found}


def hospitals_of(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Where these appointments are."""
    return set(session.scalars(select(Appointment.hospital_id).where(Appointment.id.in_(ids)).distinct()))


def arrived_after(session: Session, hospital_id: UUID, arrival_no: int, limit: int) -> list[Arrival]:
    """The bookings that one hospital has accepted after that one, in the order of their acceptance."""
    columns: list[Any] = [getattr(Appointment, one.name) for one in fields(Arrival)]
    later = (Appointment.hospital_id == hospital_id, Appointment.arrival_no > arrival_no)
    found = session.execute(select(*columns).where(*later).order_by(Appointment.arrival_no).limit(limit))
    return [Arrival(*row) for row in found]


def appointment(session: Session, appointment_id: UUID) -> Appointment | None:
    return session.get(Appointment, appointment_id)
