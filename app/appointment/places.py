"""The places of a slot. The database counts them: a place is taken by compare-and-set, or not at all."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, select, update

from app.appointment.models import Slot
from app.core.bare import Bare
from app.core.work import Work


def _free(horizon: object) -> tuple[ColumnElement[bool], ...]:
    return (Slot.taken < Slot.capacity, ~Slot.stopped, Slot.ends_at > horizon)


# In a burst everybody waits for whoever takes a place.
_TAKE = Bare(
    update(Slot)
    .where(Slot.id == bindparam("slot_id"), *_free(bindparam("horizon")))
    .where(Slot.starts_at == bindparam("shown_starts_at"), Slot.doctor_code == bindparam("shown_doctor_code"))
    .values(taken=Slot.taken + 1)
    .returning(Slot.id)
)


def free(work: Work) -> tuple[ColumnElement[bool], ...]:
    """What is true of a slot of which a place can be had."""
    return _free(work.clock.horizon())


def of_day(hospital_id: object, doctor_code: object, day: object) -> ColumnElement[bool]:
    """Slots of a doctor's day in Shanghai; values, or columns of what is looked up beside them."""
    on = func.date(func.timezone("Asia/Shanghai", Slot.starts_at))
    return and_(Slot.hospital_id == hospital_id, Slot.doctor_code == doctor_code, on == day)


def take(work: Work, slot: Slot) -> bool:
    """Take one place; False if the slot has none, or is another doctor's or at another time than it was read with. It
    stays locked until the commit."""
    shown = {"shown_starts_at": slot.starts_at, "shown_doctor_code": slot.doctor_code}
    known = {"slot_id": slot.id, "horizon": work.clock.horizon(), **shown}
    return _TAKE.first(work.session, known) is not None


def release(work: Work, slot_id: UUID) -> None:
    """Give one place back. One that the hospital has taken back meanwhile is not sold again."""
    left = func.greatest(Slot.allotment, Slot.taken - 1)
    given = update(Slot).where(Slot.id == slot_id).values(taken=Slot.taken - 1, capacity=left)
    work.session.execute(given.execution_options(synchronize_session=False))


def withdraw(work: Work, slot_id: UUID) -> None:
    """The hospital has no such place: what is not taken by others is not sold until it pushes the slot anew."""
    left = Slot.taken - 1
    kept = update(Slot).where(Slot.id == slot_id)
    kept = kept.values(taken=left, capacity=left, allotment=func.least(Slot.allotment, left))
    work.session.execute(kept.execution_options(synchronize_session=False))


def lock(work: Work, slot_id: UUID) -> Slot | None:
    """The slot as it is now. Whoever ends or offers something in a slot locks it first, so that none of them waits for
    another in a circle. Not its key: whoever books has an appointment that refers to it before the place is taken."""
    wanted = select(Slot).where(Slot.id == slot_id).with_for_update(key_share=True)
    return work.session.scalar(wanted.execution_options(populate_existing=True))
