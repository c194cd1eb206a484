"""Persons, who is bound to them, and the codes that prove a phone."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Sealed
from app.core.machine import Stateful

MAX_BINDINGS = 5
_TAKES_SEAT = "status IN ('pending', 'live')"


class Person(Row, Base):
    """A human being with an identity document. What a hospital has confirmed replaces what was only claimed."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("document_type", "document_index"),
        CheckConstraint("sex IN ('male', 'female')", name="sex"),
    )

    document_type: Mapped[str]
    document_no_sealed: Mapped[Sealed]
    document_index: Mapped[str]
    document_mask: Mapped[str]
    name_sealed: Mapped[Sealed]
    name_index: Mapped[str] = mapped_column(index=True)
    name_mask: Mapped[str]
    phone_sealed: Mapped[Sealed]
    phone_index: Mapped[str] = mapped_column(index=True)
    phone_mask: Mapped[str]
    medical_card_no_sealed: Mapped[Sealed | None]
    medical_card_index: Mapped[str | None] = mapped_column(index=True)
    birth_date: Mapped[date]
    sex: Mapped[str]
    identity_image: Mapped[bool] = mapped_column(default=False, server_default="false")
    confirmed: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Binding(Stateful, Base):
    """An account acts for a person. While the hospital is asked the claim stands in `claim_sealed`; a person exists, or
    changes, only when it has answered. A pending or live binding takes one of the account's five seats."""

    __tablename__ = "binding"
    __table_args__ = (
        CheckConstraint("relation IN ('self', 'child', 'parent', 'spouse', 'other')", name="relation"),
        CheckConstraint(f"seat BETWEEN 1 AND {MAX_BINDINGS}", name="seat"),
        CheckConstraint("status <> 'live' OR person_id IS NOT NULL", name="live_has_person"),
        CheckConstraint("NOT child OR (guardian_id IS NOT NULL AND relation IN ('child', 'other'))", name="guardian"),
        Index("uq_binding_seat", "account_id", "seat", unique=True, postgresql_where=text(_TAKES_SEAT)),
        Index("uq_binding_document", "account_id", "document_index", unique=True, postgresql_where=text(_TAKES_SEAT)),
        Index(
            "uq_binding_self", "account_id", unique=True, postgresql_where=text(f"relation = 'self' AND {_TAKES_SEAT}")
        ),
        Index("ix_binding_person", "person_id", postgresql_where=text("status = 'live'")),
        Index("ix_binding_pending", "expires_at", postgresql_where=text("status = 'pending'")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    relation: Mapped[str]
    seat: Mapped[int]
    document_index: Mapped[str]
    name_mask: Mapped[str]
    claim_sealed: Mapped[Sealed | None]
    child: Mapped[bool]
    guardian_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    guardian_proof_sealed: Mapped[Sealed | None]
    command_id: Mapped[UUID | None]
    consented_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    times_asked: Mapped[int] = mapped_column(default=0, server_default="0")
    refused_code: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class PatientNumber(Base):
    """A person's number at one hospital."""

    __tablename__ = "patient_number"
    __table_args__ = (UniqueConstraint("hospital_id", "person_id"),)

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    patient_no: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    since: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SmsCode(Row, Base):
    """A six-digit code for one phone. Only its keyed hash is kept; the code itself goes into the message and nowhere
    else. `account_place` and `phone_place` number the codes of a day, so the day's limits stand in the database."""

    __tablename__ = "sms_code"
    __table_args__ = (
        UniqueConstraint("account_id", "day", "account_place"),
        UniqueConstraint("phone_index", "day", "phone_place"),
        CheckConstraint("account_place BETWEEN 1 AND 10", name="account_place"),
        CheckConstraint("phone_place BETWEEN 1 AND 10", name="phone_place"),
        CheckConstraint("used_at IS NULL OR tries <= 5", name="used_in_time"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    phone_index: Mapped[str]
    phone_sealed: Mapped[Sealed]
    day: Mapped[date] = mapped_column(index=True)
    account_place: Mapped[int]
    phone_place: Mapped[int]
    code_hash: Mapped[str | None]
    wanted_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    used_at: Mapped[datetime | None]
