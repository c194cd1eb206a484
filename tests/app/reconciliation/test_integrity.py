"""Rows changed behind the program's back, a broken audit chain and a ledger that does not add up are named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from sqlalchemy import text

from app.audit import service as audit
from app.core.checks import checked_models
from app.core.work import Work
from app.payout.models import LedgerAccount, LedgerEntry, LedgerTransaction
from tests.app.kit import run, value
from tests.app.reconciliation.kit import Night, number


@contextmanager
def unhindered(night: Night) -> Iterator[Work]:
    """A transaction without foreign keys and triggers, as somebody with the database's password has it."""
    with night.runtime.work() as work:
        work.session.execute(text("SET LOCAL session_replication_role = replica"))
        yield work


def _ledger(night: Night, *amounts_fen: int) -> UUID:
    with unhindered(night) as work:
        account = LedgerAccount(party_id=night.world.party["I1"], kind="payable")
        row = LedgerTransaction(kind="approve", reference=uuid4(), business_date=work.clock.today())
        work.add(account, row)
        work.session.flush()
        work.add(*(LedgerEntry(transaction_id=row.id, account_id=account.id, amount_fen=fen) for fen in amounts_fen))
        return row.id


def test_every_table_with_a_check_field_is_looked_at(night: Night) -> None:
    names = {model.__tablename__ for model in checked_models()}
    assert {"bill", "fee_line", "claim_bill", "decision", "payout", "ledger_entry", "settlement"} <= names
    assert night.run()["checks"]["tables"] == len(names)


def test_a_changed_clearing_row_is_named_and_heals(night: Night) -> None:
    night.book(range(1, 4))
    assert night.run()["checks"]["tampered"] == []
    row_id = value(night.runtime, "SELECT id FROM claim_bill WHERE clearing_no = :no", no=number(2))
    run(night.runtime, "UPDATE claim_bill SET approved_fen = 1 WHERE id = :id", id=row_id)
    seen = night.run()
    assert (seen["status"], seen["checks"]["tampered"]) == ("differences", [f"claim_bill:{row_id}"])
    found = night.differences()["tampered", f"claim_bill:{row_id}"]
    assert (found.cause, found.status, found.clearing_no) == ("tampered", "open", None)
    run(night.runtime, "UPDATE claim_bill SET approved_fen = NULL WHERE id = :id", id=row_id)
    assert night.run()["status"] == "balanced"
    assert night.differences()["tampered", f"claim_bill:{row_id}"].status == "cleared"


def test_a_broken_audit_chain_is_named(night: Night) -> None:
    with night.runtime.work() as work:
        audit.seal(work)
    assert night.run()["checks"]["chain_broken_at"] is None
    run(night.runtime, "UPDATE audit_entry SET action = 'nothing' WHERE seq = 2")
    seen = night.run()
    assert (seen["checks"]["chain_broken_at"], seen["status"]) == (2, "differences")
    assert night.differences()["tampered", "audit_entry:2"].cause == "audit_chain"


def test_ledger_transactions_that_do_not_add_up_are_named(night: Night) -> None:
    _ledger(night, 100, -100)
    assert night.run()["checks"]["ledger"] == []
    with unhindered(night) as work:
        row = LedgerTransaction(kind="approve", reference=uuid4(), business_date=work.clock.today())
        work.add(row)
    seen = night.run()
    assert seen["checks"]["ledger"] == [f"ledger_transaction:{row.id}"]
    assert night.differences()["tampered", f"ledger_transaction:{row.id}"].cause == "ledger"


def test_the_night_looks_even_if_no_book_came(night: Night) -> None:
    night.book(range(1, 2))
    run(night.runtime, "UPDATE claim_bill SET approved_fen = 1")
    run_id = night.start()
    night.drain_all(hurry=True)
    seen = night.seen(run_id)
    assert (seen["status"], len(seen["checks"]["tampered"])) == ("blocked", 1)
