"""Claims, their bills and clocks. Amounts in fen."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Checked, Fen, Row, Sealed
from app.core.machine import Stateful


class Policy(Row, Base):
    """What an insurer last answered about one policy of one person, at `asked_at`: a cache, never the truth. Deductible
    and ratio are None where the insurer's dialect does not tell them."""

    __tablename__ = "policy"
    __table_args__ = (UniqueConstraint("insurer_id", "policy_no", "person_id"),)

    insurer_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    policy_no: Mapped[str]
    product_name: Mapped[str]
    product_filing_no: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    deductible_left_fen: Mapped[Fen | None]
    ratio: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    ceiling_left_fen: Mapped[Fen]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Claim(Stateful, Base):
    """One person, one policy, one to three bills, one payee. `holder` names who must act now: patient, hospital,
    platform or insurer, since `status_since`. `clock_paused_since` is set from a request for documents until they have
    reached the insurer."""

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint("holder IN ('patient', 'hospital', 'platform', 'insurer', 'nobody')", name="holder"),
        CheckConstraint("payee_kind IN ('wechat', 'bank')", name="payee_kind"),
    )

    no: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    insurer_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), index=True)
    policy_no: Mapped[str | None]
    case_no: Mapped[str | None] = mapped_column(index=True)
    consent_id: Mapped[UUID] = mapped_column(ForeignKey("consent.id"))
    health_consent_id: Mapped[UUID] = mapped_column(ForeignKey("consent.id"))
    business_date: Mapped[date]
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    holder: Mapped[str]
    payee_kind: Mapped[str]
    payee_relation: Mapped[str]  # self, guardian or proxy
    payee_name_sealed: Mapped[Sealed]
    payee_account_sealed: Mapped[Sealed | None]  # a bank card; None for WeChat
    asked_fen: Mapped[Fen]
    approved_fen: Mapped[Fen | None]
    paid_fen: Mapped[Fen] = mapped_column(default=0)
    accept_by: Mapped[datetime | None]
    clock_paused_since: Mapped[datetime | None]
    reasons: Mapped[list[Any] | None]  # [{code, text}] of an ineligible or rejected claim
    waiting: Mapped[dict[str, Any] | None]  # {code, text, since, until?} of what keeps the claim from going on


class ClaimBill(Row, Checked, Base):
    """The clearing row: one bill in one claim, the unit of reconciliation. `ordinal` is dense within `business_date`.

    A `reverse` row has a number of its own and names the original's. A row counts in the ledgers from `booked_at` on:
    then the package that names it was sealed and the hospital was told. Of `approved_fen`, as the insurer has decided
    it, the bill does not carry `lost_fen` any more, for the hospital has amended it since; of the rest `payable_fen`
    may be paid now: all of it once the decision is accepted, the undisputed part while an appeal is decided.
    `shown_sha256` is that of the bill in the package (app.claim.shown), None before it is sealed. `paid_elsewhere_fen`
    is what this insurer says that others have paid for the bill outside of Zhipei.
    """

    __tablename__ = "claim_bill"
    __table_args__ = (
        UniqueConstraint("business_date", "ordinal"),
        CheckConstraint("kind IN ('pay', 'reverse')", name="kind"),
        CheckConstraint("(kind = 'reverse') = (original_clearing_no IS NOT NULL)", name="original"),
        CheckConstraint(
            "borne_fen >= 0 AND (approved_fen IS NULL OR approved_fen BETWEEN 0 AND borne_fen)", name="amounts"
        ),
        CheckConstraint("lost_fen BETWEEN 0 AND coalesce(approved_fen, 0)", name="lost"),
        CheckConstraint("payable_fen BETWEEN 0 AND coalesce(approved_fen, 0) - lost_fen", name="payable"),
        CheckConstraint("paid_elsewhere_fen >= 0", name="paid_elsewhere"),
        Index("uq_claim_bill_pay", "claim_id", "bill_id", unique=True, postgresql_where=text("kind = 'pay'")),
    )
    check_over = (
        "clearing_no",
        "claim_id",
        "bill_id",
        "kind",
        "borne_fen",
        "approved_fen",
        "lost_fen",
        "payable_fen",
        "live",
    )

    clearing_no: Mapped[str] = mapped_column(unique=True)
    business_date: Mapped[date]
    ordinal: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    original_clearing_no: Mapped[str | None]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    insurer_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    borne_fen: Mapped[Fen]
    approved_fen: Mapped[Fen | None]
    lost_fen: Mapped[Fen]
    payable_fen: Mapped[Fen]
    shown_sha256: Mapped[str | None]
    paid_elsewhere_fen: Mapped[Fen] = mapped_column(default=0)
    live: Mapped[bool]
    booked_at: Mapped[datetime | None]

    @property
    def kept_fen(self) -> int:
        """What of the approved amount the bill still carries."""
        return (self.approved_fen or 0) - self.lost_fen


class ClaimClock(Row, Base):
    """A term that somebody has for a claim: `days` from `started_at` on, and `paused_s` more, which is the sum of its
    pauses; see app.claim.clocks. `late_at` is when it was found to be late and told, once; `ended_at` when what it is
    for was done, be it late, or was no longer to be done."""

    __tablename__ = "claim_clock"
    __table_args__ = (
        CheckConstraint("kind IN ('decision', 'prepay', 'payment', 'letter')", name="kind"),
        CheckConstraint("days > 0 AND paused_s >= 0", name="lengths"),
        Index("uq_claim_clock_running", "claim_id", "kind", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_claim_clock_due", "due_at", postgresql_where=text("ended_at IS NULL AND late_at IS NULL")),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)
    kind: Mapped[str]
    days: Mapped[int]
    started_at: Mapped[datetime]
    paused_s: Mapped[int] = mapped_column(BigInteger, default=0)
    due_at: Mapped[datetime]
    late_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
