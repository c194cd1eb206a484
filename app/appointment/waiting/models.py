from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.machine import Stateful

_WAITING = text("status = 'waiting'")
_LIVE = text("status IN ('waiting', 'offered')")
_OFFERED = text("status = 'offered'")


class WaitingEntry(Stateful, Base):
    """One person waits for a place of one slot, or of any slot of a doctor's day (Shanghai).

    `line_no` is taken with the slots locked, so its order is the order of joining. An offer holds a place of
    `offered_slot_id`, counted in that slot's `taken`, until `offer_until`. `why` is the code of an end.
    """

    __tablename__ = "waiting_entry"
    __table_args__ = (
        CheckConstraint("num_nonnulls(slot_id, doctor_code) = 1 AND (doctor_code IS NULL) = (day IS NULL)", name="for"),
        CheckConstraint("status <> 'offered' OR num_nulls(offered_slot_id, offer_until) = 0", name="offer"),
        CheckConstraint("(status = 'taken') = (appointment_id IS NOT NULL)", name="taken"),
        Index("uq_waiting_entry_slot", "person_id", "slot_id", unique=True, postgresql_where=_LIVE),
        Index("uq_waiting_entry_day", "person_id", "hospital_id", "doctor_code", "day", unique=True,
              postgresql_where=_LIVE),
        Index("uq_waiting_entry_offer", "person_id", "offered_slot_id", unique=True, postgresql_where=_OFFERED),
        Index("ix_waiting_entry_slot_line", "slot_id", "line_no", postgresql_where=_WAITING),
        Index("ix_waiting_entry_day_line", "hospital_id", "doctor_code", "day", "line_no", postgresql_where=_WAITING),
        Index("ix_waiting_entry_offered", "offered_slot_id", postgresql_where=_OFFERED),
    )  # fmt: skip

    line_no: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    slot_id: Mapped[UUID | None] = mapped_column(ForeignKey("slot.id"))
    doctor_code: Mapped[str | None]
    day: Mapped[date | None]
    self_pay: Mapped[bool]
    offered_slot_id: Mapped[UUID | None] = mapped_column(ForeignKey("slot.id"))
    offer_until: Mapped[datetime | None]
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"), unique=True)
    why: Mapped[str | None]
