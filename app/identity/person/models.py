"""Persons, who is bound to them, and the codes that prove a phone."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Sealed
from app.core.machine import Stateful

MAX_BINDINGS = 5
_AWAITED = "pull_id IS NOT NULL"
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
    """A person's number at one hospital. While the hospital is asked for the person's records, `pull_id` is the command
    that counts, which may ask for others' too, and `awaited_since` when the waiting began; with `more_follows` it has
    sent a first part of them."""

    __tablename__ = "patient_number"
    __table_args__ = (
        UniqueConstraint("person_id", "hospital_id"),
        CheckConstraint("(pull_id IS NULL) = (awaited_since IS NULL)", name="awaited"),
        CheckConstraint("NOT more_follows OR pull_id IS NOT NULL", name="more_follows"),
        Index("ix_patient_number_pull", "pull_id", postgresql_where=text(_AWAITED)),
        Index("ix_patient_number_awaited", "hospital_id", "awaited_since", postgresql_where=text(_AWAITED)),
    )

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    patient_no: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    pull_id: Mapped[UUID | None]
    awaited_since: Mapped[datetime | None]
    more_follows: Mapped[bool] = mapped_column(default=False, server_default="false")


class TieComparison(Base):
    """The last nightly comparison of a hospital's list of ties with ours. The counts are None until a list has come;
    `failure` says why the last one that was asked for did not. `missing` were tied, `left_over` untied, and what people
    of the hospital had `revoked` was ended here."""

    __tablename__ = "tie_comparison"

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    asked_at: Mapped[datetime]
    compared_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    ours: Mapped[int | None]
    theirs: Mapped[int | None]
    missing: Mapped[int | None]
    left_over: Mapped[int | None]
    revoked: Mapped[int | None]


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
