"""A person's consent to share data with one recipient for one purpose (个人信息保护法 articles 13, 14, 15, 23, 29)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row
from app.core.machine import Stateful


class Consent(Stateful, Base):
    """In force until withdrawn. `scope` names the kinds of data, `wording` the version of the text agreed to."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "uq_consent_in_force",
            "person_id",
            "recipient_id",
            "purpose",
            unique=True,
            postgresql_where=text("status = 'in_force'"),
        ),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    guardian_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    purpose: Mapped[str]
    scope: Mapped[list[str]]
    wording: Mapped[str]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class ConsentReceipt(Row, Base):
    """What was in fact shared under a consent: with whom, when, and on account of which row of ours."""

    __tablename__ = "consent_receipt"

    consent_id: Mapped[UUID] = mapped_column(ForeignKey("consent.id"), index=True)
    what: Mapped[list[str]]
    subject_id: Mapped[UUID]
    shared_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
