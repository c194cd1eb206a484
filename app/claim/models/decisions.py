"""Insurers' decisions and what follows from them. Amounts in fen."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Checked, Fen, Row, Sealed
from app.core.machine import Stateful


class Recovery(Stateful, Checked, Base):
    """追回: after the insurer had decided on a bill, the hospital took it back (refund, reversed e-bill), or amended it
    so that it carries less than was approved.

    So the decision `decision_no` stands for `lost_fen` less. `share_fen` of that was payable then; `due_fen` of it has
    been paid and must come back to the insurer, who knows the recovery by `recovery_no`: the clearing number of the row
    that takes the bill out of the books; of an amendment, which leaves it in them, the bill's own with a count behind.
    """

    __tablename__ = "recovery"
    __table_args__ = (
        CheckConstraint("reason IN ('bill_refunded', 'e_bill_reversed', 'bill_amended')", name="reason"),
        CheckConstraint("due_fen BETWEEN 0 AND share_fen AND share_fen <= lost_fen", name="amounts"),
        CheckConstraint("reason <> 'bill_amended' OR lost_fen > 0", name="amended"),
        Index("uq_recovery_taken_back", "clearing_no", unique=True, postgresql_where=text("reason <> 'bill_amended'")),
    )
    check_over = ("claim_id", "clearing_no", "recovery_no", "decision_no", "lost_fen", "share_fen", "due_fen")

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    insurer_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), index=True)
    clearing_no: Mapped[str] = mapped_column(index=True)
    recovery_no: Mapped[str] = mapped_column(unique=True)
    decision_no: Mapped[str]
    reason: Mapped[str]
    lost_fen: Mapped[Fen]
    share_fen: Mapped[Fen]
    due_fen: Mapped[Fen]


class RefusalLetter(Row, Base):
    """拒赔通知书 of one decision, whole or in part, as the patient gets it: a PDF, sealed as base64; `sha256` is over
    its bytes."""

    __tablename__ = "refusal_letter"
    __table_args__ = (UniqueConstraint("decision_id"),)

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)
    decision_id: Mapped[UUID] = mapped_column(ForeignKey("decision.id"))
    title: Mapped[str]
    sha256: Mapped[str]
    content_sealed: Mapped[Sealed] = mapped_column(deferred=True)
    issued_at: Mapped[datetime]


class Decision(Row, Checked, Base):
    """One decision of the insurer on one claim; a later one supersedes it."""

    __tablename__ = "decision"
    __table_args__ = (UniqueConstraint("claim_id", "decision_no"),)
    check_over = ("claim_id", "decision_no", "outcome", "approved_fen")

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    decision_no: Mapped[str]
    supersedes: Mapped[str | None]
    outcome: Mapped[str]
    approved_fen: Mapped[Fen]
    decided_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class DecisionLine(Row, Checked, Base):
    """billed → covered → deductible → ratio → caps → approved, and every reason at once, for one fee line."""

    __tablename__ = "decision_line"
    __table_args__ = (UniqueConstraint("decision_id", "clearing_no", "line_no"),)
    check_over = (
        "decision_id",
        "clearing_no",
        "line_no",
        "billed_fen",
        "covered_fen",
        "deductible_fen",
        "cap_fen",
        "approved_fen",
    )

    decision_id: Mapped[UUID] = mapped_column(ForeignKey("decision.id"))
    clearing_no: Mapped[str]
    line_no: Mapped[int]
    billed_fen: Mapped[Fen]
    covered_fen: Mapped[Fen]
    deductible_fen: Mapped[Fen]
    ratio: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    cap_fen: Mapped[Fen]
    approved_fen: Mapped[Fen]
    reasons: Mapped[list[Any]]  # [{code, text, cap_fen where it lowered the amount}]


class Appeal(Row, Base):
    """The patient's objection to one line or to all (`lines` empty)."""

    __tablename__ = "appeal"
    __table_args__ = (UniqueConstraint("claim_id"),)

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    lines: Mapped[list[Any]]  # [{clearing_no, line_no}]
    reason: Mapped[str]
    decided_at: Mapped[datetime | None]
