"""Claims and what belongs to them. Amounts in fen."""

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
    waiting: Mapped[dict[str, Any] | None]  # {code, text, since} of what keeps the claim from going on


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


class DocumentRequest(Row, Base):
    """What the insurer asks for, once and all at once; `answered_at` when the patient has sent everything. A further
    request has a `reason`, and a `supervisor` of the insurer's who allowed it."""

    __tablename__ = "document_request"
    __table_args__ = (
        UniqueConstraint("claim_id", "request_no"),
        CheckConstraint("(reason IS NULL) = (supervisor IS NULL)", name="further"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    request_no: Mapped[str]
    items: Mapped[list[Any]]  # [{kind, text}]
    reason: Mapped[str | None]
    supervisor: Mapped[str | None]
    deadline: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class ClaimDocument(Row, Base):
    """A file of the patient's. Its content is sealed as base64; `sha256` is over the bytes."""

    __tablename__ = "claim_document"

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_request.id"))
    kind: Mapped[str]
    title: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[str]
    content_sealed: Mapped[Sealed]


class Appeal(Row, Base):
    """The patient's objection to one line or to all (`lines` empty)."""

    __tablename__ = "appeal"
    __table_args__ = (UniqueConstraint("claim_id"),)

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    lines: Mapped[list[Any]]  # [{clearing_no, line_no}]
    reason: Mapped[str]
    decided_at: Mapped[datetime | None]


class ClaimPackage(Row, Base):
    """The frozen, hashed, signed content of a claim. `content_sealed` is the native JSON of manifest and plain parts.
    A later version answers the request for documents that it names. It may have reached the insurer from `sent_at` on.
    """

    __tablename__ = "claim_package"
    __table_args__ = (
        UniqueConstraint("claim_id", "version"),
        CheckConstraint("(version = 1) = (previous_root IS NULL AND request_id IS NULL)", name="first"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    version: Mapped[int]
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_request.id"), unique=True)
    root: Mapped[str]
    previous_root: Mapped[str | None]
    signature: Mapped[str]
    content_sealed: Mapped[Sealed] = mapped_column(deferred=True)
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
