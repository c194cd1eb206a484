from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Fen, Row
from app.core.machine import Stateful

LIVE_ROWS = text("status IN ('pending', 'booked')")


class Department(Row, Base):
    __tablename__ = "department"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    code: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]


class Doctor(Row, Base):
    __tablename__ = "doctor"
    __table_args__ = (UniqueConstraint("hospital_id", "code"),)

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    code: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    title: Mapped[str | None]
    department_code: Mapped[str]


class Slot(Row, Base):
    """An allotment of the hospital (号源). `taken` never exceeds `capacity`: the database refuses it. `allotment` is
    the hospital's own figure; `capacity` is larger while more places are sold than it now allots."""

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("hospital_id", "key"),
        CheckConstraint("taken BETWEEN 0 AND capacity", name="taken"),
        Index("ix_slot_open", "hospital_id", "department_code", "starts_at"),
    )

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    key: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    department_code: Mapped[str]
    doctor_code: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    allotment: Mapped[int]
    capacity: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0, server_default="0")
    fee_fen: Mapped[Fen]
    stopped: Mapped[bool]


class Appointment(Stateful, Base):
    """One person, one slot. `no` is what the hospital knows it by; `pay_by` is the deadline of a fee. `command_id` is
    the last question to the hospital, None while it was never asked. With `self_pay` the hospital is shown no
    medical-insurance card. `arrival_no` is its place among the accepted bookings of its hospital, in the order of their
    commits: whoever is booked first is registered first."""

    __tablename__ = "appointment"
    __table_args__ = (
        Index(
            "uq_appointment_live",
            "person_id",
            "slot_id",
            unique=True,
            postgresql_where=LIVE_ROWS,
        ),
        Index(
            "uq_appointment_arrival",
            "hospital_id",
            "arrival_no",
            unique=True,
            postgresql_where=text("arrival_no IS NOT NULL"),
        ),
    )

    no: Mapped[str] = mapped_column(unique=True)
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), index=True)
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("slot.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    self_pay: Mapped[bool] = mapped_column(default=False, server_default="false")
    fee_fen: Mapped[Fen]
    payment_order_id: Mapped[UUID | None]
    pay_by: Mapped[datetime | None]
    command_id: Mapped[UUID | None]
    asked_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    arrival_no: Mapped[int | None] = mapped_column(BigInteger)
    refused_code: Mapped[str | None]
