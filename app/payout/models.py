from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, UniqueConstraint, event, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Checked, Fen, Row, Sealed
from app.core.machine import Stateful

_OPEN = "('created', 'held', 'approved', 'sending', 'unknown', 'accepted', 'waiting_user_confirm', 'transferring')"


class Payout(Stateful, Checked, Base):
    """One transfer by the insurer. `out_no` is our number at WeChat Pay or the bank: it never changes on a retry, and a
    new payout is made only when this one is proved dead.

    `package_info` opens WeChat's confirmation page; `business_date` is the day it was made.
    """

    __tablename__ = "payout"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("channel IN ('wechat', 'bank')", name="channel"),
        Index("uq_payout_open", "claim_id", unique=True, postgresql_where=text(f"status IN {_OPEN}")),
    )
    check_over = ("claim_id", "insurer_id", "account_id", "channel", "amount_fen", "out_no")

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)
    claim_no: Mapped[str]
    insurer_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    channel: Mapped[str]
    amount_fen: Mapped[Fen]
    out_no: Mapped[str] = mapped_column(unique=True)
    business_date: Mapped[date]
    product_name: Mapped[str]
    product_filing_no: Mapped[str]
    payee_name_sealed: Mapped[Sealed]
    payee_account_sealed: Mapped[Sealed | None]
    held_for: Mapped[list[str]]
    approvals_needed: Mapped[int]
    package_info: Mapped[str | None]
    provider_no: Mapped[str | None]
    failed_code: Mapped[str | None]


class PayoutApproval(Base):
    """One operator's approval; the key makes the second pair of eyes another login."""

    __tablename__ = "payout_approval"

    payout_id: Mapped[UUID] = mapped_column(ForeignKey("payout.id"), primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"), primary_key=True)
    approved_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class LedgerAccount(Row, Base):
    """An account in the books of one insurer: expense (赔款支出), payable (应付赔款), wechat, bank, receivable
    (应收追回款), collected (已追回款: what payees gave back to the insurer itself)."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("party_id", "kind"),
        CheckConstraint("kind IN ('expense', 'payable', 'wechat', 'bank', 'receivable', 'collected')", name="kind"),
    )

    party_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    kind: Mapped[str]


class LedgerTransaction(Row, Base):
    """approve, unapprove: so much more (less) of a claim is payable; pay: money arrived; return: a bank sent it back;
    recover: what was paid must come back; unrecover: less of it, for a bank has sent some back; repay, write_off: how a
    recovery ended. Each once per `reference`, which is a payout or a recovery."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        UniqueConstraint("kind", "reference"),
        CheckConstraint(
            "kind IN ('approve', 'unapprove', 'pay', 'return', 'recover', 'unrecover', 'repay', 'write_off')",
            name="kind",
        ),
    )

    kind: Mapped[str]
    reference: Mapped[UUID]
    business_date: Mapped[date]
    booked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class LedgerEntry(Row, Checked, Base):
    """One side of a transaction, debit positive. The entries of a transaction add up to zero: the database refuses a
    commit in which they do not."""

    __tablename__ = "ledger_entry"
    __table_args__ = (CheckConstraint("amount_fen <> 0", name="amount"),)
    check_over = ("transaction_id", "account_id", "amount_fen")

    transaction_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transaction.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_account.id"), index=True)
    amount_fen: Mapped[Fen]


LEDGER_BALANCE_FUNCTION = """
CREATE OR REPLACE FUNCTION ledger_transaction_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid;
BEGIN
    FOREACH touched IN ARRAY ARRAY[OLD.transaction_id, NEW.transaction_id] LOOP
        IF (SELECT sum(amount_fen) FROM ledger_entry WHERE transaction_id = touched) <> 0 THEN
            RAISE EXCEPTION 'ledger transaction does not add up to zero' USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NULL;
END $$
"""
LEDGER_BALANCE_TRIGGER = """
CREATE CONSTRAINT TRIGGER ledger_entry_adds_up AFTER INSERT OR UPDATE OR DELETE ON ledger_entry
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_adds_up()
"""


def _install_trigger(table: Any) -> None:
    """Schemas that are made from the models get the trigger too; the migration has the same two statements."""
    for statement in (LEDGER_BALANCE_FUNCTION, LEDGER_BALANCE_TRIGGER):
        event.listen(table, "after_create", DDL(statement))


_install_trigger(LedgerEntry.__table__)
