from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.machine import Stateful


class Registration(Stateful, Base):
    """One entry in the line. It leaves only when the hospital has registered or refused the person, or when nobody is
    bound to the person before it is asked.

    `line_no` is the `arrival_no` of its appointment. `no` is the hospital's idempotency key and stays the same on every
    try; an entry that failed, last at `failed_at` with `last_code`, rests until `not_before`. `failures` counts all of
    them, `tries` those that were its own. `asked_at` is when the hospital was first asked, `left_at` when the entry
    left the line. With `self_pay` it is shown no medical-insurance card.
    """

    __tablename__ = "registration"
    __table_args__ = (
        UniqueConstraint("hospital_id", "line_no"),
        Index(
            "uq_registration_live",
            "hospital_id",
            "person_id",
            unique=True,
            postgresql_where=text("refused_code IS NULL"),
        ),
        Index("ix_registration_waiting", "hospital_id", "line_no", postgresql_where=text("left_at IS NULL")),
        Index("ix_registration_left", "hospital_id", "left_at", postgresql_where=text("left_at IS NOT NULL")),
        Index(
            "ix_registration_resting",
            "hospital_id",
            "not_before",
            postgresql_where=text("left_at IS NULL AND not_before IS NOT NULL"),
        ),
        CheckConstraint("(left_at IS NULL) = (status IN ('queued', 'registering'))", name="left"),
        CheckConstraint("(refused_code IS NULL) = (status <> 'failed')", name="refused"),
        # Room in the page for what is written when an entry is asked for: no index has to be touched then.
        {"postgresql_with": {"fillfactor": 40}},
    )

    status: Mapped[str] = mapped_column()  # in no index: an entry is asked for without touching one
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    line_no: Mapped[int] = mapped_column(BigInteger)
    no: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    appointment_id: Mapped[UUID]
    appointment_no: Mapped[str]
    self_pay: Mapped[bool] = mapped_column(default=False, server_default="false")
    command_id: Mapped[UUID | None]
    asked_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failed_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    last_code: Mapped[str | None]
    refused_code: Mapped[str | None]


class RegistrationLine(Base):
    """How far a hospital's accepted bookings have been let into its line. Whoever lets in holds the row."""

    __tablename__ = "registration_line"

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    let_in_no: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
