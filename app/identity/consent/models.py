"""A person's consent to share data with one recipient for one purpose (个人信息保护法 articles 13, 14, 15, 23, 29)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row
from app.core.machine import Stateful


class Consent(Stateful, Base):
    """In force until withdrawn. `scope` names the kinds of data, all of one class: health data have a consent of their
    own. `wording` is the version of the text agreed to, `recipient_name` and `recipient_contact` are what it said."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("data_class IN ('general', 'health')", name="data_class"),
        Index(
            "uq_consent_in_force",
            "person_id",
            "recipient_id",
            "purpose",
            "data_class",
            unique=True,
            postgresql_where=text("status = 'in_force'"),
        ),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    guardian_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    recipient_name: Mapped[str]
    recipient_contact: Mapped[str]
    purpose: Mapped[str]
    data_class: Mapped[str]
    scope: Mapped[list[str]]
    wording: Mapped[str]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class ConsentReceipt(Row, Base):
    """What was in fact shared under a consent: what for, when, and on account of which row of ours, which people know
    as `about_no`. The same sharing tried again has the same `reference` and one receipt."""

    __tablename__ = "consent_receipt"
    __table_args__ = (UniqueConstraint("consent_id", "subject_id", "occasion", "reference", name="once"),)

    consent_id: Mapped[UUID] = mapped_column(ForeignKey("consent.id"))
    occasion: Mapped[str]
    what: Mapped[list[str]]
    subject_id: Mapped[UUID]
    about_no: Mapped[str]
    reference: Mapped[str]
    shared_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
