"""What is known of e-bills, over all claims."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class EBillGuard(Base):
    """The e-bill of a bill in a live claim: at most one live claim per policy, whichever hospital or insurer. `bill_id`
    is the bill that it was claimed with."""

    __tablename__ = "e_bill_guard"

    code: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    insurer_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), primary_key=True)
    policy_no: Mapped[str] = mapped_column(primary_key=True)
    check_code: Mapped[str]
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"))
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)


class EBillCheck(Base):
    """What the authority last said of an e-bill: a cache, never the truth."""

    __tablename__ = "e_bill_check"
    __table_args__ = (CheckConstraint("answer IN ('valid', 'reversed', 'unknown', 'check_code_wrong')", name="answer"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    check_code: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[str]
    asked_at: Mapped[datetime]
