"""A night's run, what each party handed in, what did not agree, and the figures. Amounts in fen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Fen, Row
from app.core.machine import Stateful

_ROLES = "role IN ('hospital', 'platform', 'insurer', 'trade', 'basic', 'operation', 'bank')"
_NAMES = (
    *("presence", "amount", "status", "duplicate", "bad_row", "tampered"),
    *("funds_presence", "funds_amount", "funds_status", "funds_bad_row"),
)
_KINDS = "kind IN ({})".format(", ".join(f"'{name}'" for name in _NAMES))


class Run(Stateful, Base):
    """One attempt at one business date. `kind`: `parties` compares hospital, platform and insurer, `funds` our books
    with the bank side. `hospital_id` narrows it to one hospital's rows.

    `attendance`: whose books are compared (comparison.Attendance). `counts`: for each role the rows it handed in
    (engine.outcome.PartyCount), or for each kind of movement what both sides have (funds.comparison.Count). `checks`:
    what the integrity checks of the night found.
    """

    __tablename__ = "reconciliation_run"
    __table_args__ = (
        UniqueConstraint("kind", "business_date", "attempt"),
        CheckConstraint("kind IN ('parties', 'funds')", name="kind"),
    )

    kind: Mapped[str] = mapped_column(default="parties")
    business_date: Mapped[date]
    attempt: Mapped[int]
    hospital_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    started_by: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    collect_until: Mapped[datetime]
    compared_at: Mapped[datetime | None]
    attendance: Mapped[dict[str, Any] | None]
    counts: Mapped[dict[str, Any] | None]
    checks: Mapped[dict[str, Any] | None]


class Part(Row, Base):
    """A share of a run's comparison, for one worker: rows that have no number in common with other parts (`name`, see
    engine.parts). `packed` are the books, `outcome` what was found; both go when the run ends."""

    __tablename__ = "reconciliation_part"
    __table_args__ = (UniqueConstraint("run_id", "name"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_run.id"))
    name: Mapped[str]
    row_count: Mapped[int]
    packed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    outcome: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    compared_at: Mapped[datetime | None]


class PartyLedger(Stateful, Base):
    """One party's book in one run. `party_id` None is the platform. In a run of funds the `role` is a bill: `trade`,
    `basic` and `operation` of a merchant number (the party is its owner), or the statement of a `bank`.

    `packed` is the book itself (app.reconciliation.books); `declared_*` is what the party said it holds, `batch_nos`
    the batches it came in, as `partner_id`, the program that answered, numbers them. `asked_totals`: `command_id` asks
    for totals alone. A blocked ledger has a code and, for people, a reason.
    """

    __tablename__ = "reconciliation_party_ledger"
    __table_args__ = (
        UniqueConstraint("run_id", "party_id", "role", postgresql_nulls_not_distinct=True),
        CheckConstraint(_ROLES, name="role"),
        Index("ix_reconciliation_party_ledger_party", "party_id", "id"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_run.id"))
    party_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    role: Mapped[str]
    command_id: Mapped[UUID | None] = mapped_column(index=True)
    asked_totals: Mapped[bool] = mapped_column(default=False)
    partner_id: Mapped[UUID | None] = mapped_column(ForeignKey("partner.id"))
    batch_nos: Mapped[list[Any] | None]
    declared_count: Mapped[int | None]
    declared_fen: Mapped[Fen | None]
    sha256: Mapped[str | None]
    bad_at_source: Mapped[int] = mapped_column(default=0)
    row_count: Mapped[int | None]
    bad_count: Mapped[int | None]
    readable_fen: Mapped[Fen | None]
    source: Mapped[str | None]
    blocked_code: Mapped[str | None]
    packed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


class LedgerBatch(Base):
    """A ledger batch that a party's program pushed through the exchange, judged row by row and kept by columns. Each
    program counts its batches for itself."""

    __tablename__ = "reconciliation_ledger_batch"
    __table_args__ = (UniqueConstraint("partner_id", "batch_no"),)

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    partner_id: Mapped[UUID] = mapped_column(ForeignKey("partner.id"))
    batch_no: Mapped[int] = mapped_column(BigInteger)
    business_date: Mapped[date]
    row_count: Mapped[int]
    amount_fen: Mapped[Fen]
    packed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Difference(Stateful, Base):
    """One thing that does not agree on a business date. It is the same difference in every run that sees it: `key` is
    the clearing number, or what names the row where there is none."""

    __tablename__ = "reconciliation_difference"
    __table_args__ = (
        UniqueConstraint("business_date", "kind", "key"),
        CheckConstraint(_KINDS, name="kind"),
        Index("ix_reconciliation_difference_clearing_no", "clearing_no"),
        Index("ix_reconciliation_difference_last_run", "last_run_id", "id"),
    )

    business_date: Mapped[date]
    kind: Mapped[str]
    key: Mapped[str]
    clearing_no: Mapped[str | None]
    found_set: Mapped[str | None]  # presence at hospital, platform, insurer: "110"
    role: Mapped[str | None]  # whose row it is, for duplicates and bad rows
    line: Mapped[int | None]
    hospital_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"), index=True)
    insurer_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"), index=True)
    hospital_fen: Mapped[Fen | None]
    hospital_status: Mapped[str | None]
    platform_fen: Mapped[Fen | None]
    platform_status: Mapped[str | None]
    insurer_fen: Mapped[Fen | None]
    insurer_status: Mapped[str | None]
    bank_fen: Mapped[Fen | None]  # what the bill of WeChat Pay or the bank says, and what our ledger of accounts
    bank_status: Mapped[str | None]
    ledger_fen: Mapped[Fen | None]
    cause: Mapped[str]
    first_run_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_run.id"))
    last_run_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_run.id"))
    suspended_until: Mapped[date | None]
    matched_on: Mapped[date | None]  # the neighbouring business date whose row makes this one whole
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id"))
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id"))
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id"))
    reason: Mapped[str | None]
    note: Mapped[str | None]


class Statement(Row, Base):
    """The figures of a run: overall (both ids None and `overall`), or of one hospital and one insurer; an id is None
    where only one of them is known."""

    __tablename__ = "reconciliation_statement"
    __table_args__ = (
        UniqueConstraint("run_id", "overall", "hospital_id", "insurer_id", postgresql_nulls_not_distinct=True),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_run.id"))
    overall: Mapped[bool]
    hospital_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    insurer_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    amount_differs: Mapped[int]
    status_differs: Mapped[int]


class SetCount(Base):
    """How many numbers are in one of the seven sets of a statement."""

    __tablename__ = "reconciliation_set_count"
    __table_args__ = (CheckConstraint("name ~ '^[01]{3}$' AND name <> '000'", name="set"),)

    statement_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_statement.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class Total(Base):
    """Amount and count, and of these what agrees; failure is the rest."""

    __tablename__ = "reconciliation_total"
    __table_args__ = (CheckConstraint("success_count BETWEEN 0 AND count", name="count"),)

    statement_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_statement.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    amount_fen: Mapped[Fen]
    success_count: Mapped[int]
    success_amount_fen: Mapped[Fen]


class Report(Row, Base):
    """A report that was sent: `party_id` None is the platform's own finance. The same figures are not sent twice."""

    __tablename__ = "reconciliation_report"
    __table_args__ = (UniqueConstraint("business_date", "party_id", "digest", postgresql_nulls_not_distinct=True),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation_run.id"))
    business_date: Mapped[date]
    party_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    digest: Mapped[str]
    mails: Mapped[int]
    texts: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
