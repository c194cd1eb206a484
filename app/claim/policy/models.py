from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row


class PolicyQuestion(Row, Base):
    """When an insurer was last asked for all policies of a person, by whom, and when it last answered. The answer
    stands in `policy`."""

    __tablename__ = "policy_question"
    __table_args__ = (UniqueConstraint("insurer_id", "person_id"),)

    insurer_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
