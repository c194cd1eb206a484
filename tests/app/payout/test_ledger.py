"""The database refuses a transaction that does not add up to zero, however it came about."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.payout import ledger, queries
from tests.app.payout.kit import created, status
from tests.app.town import Town


@pytest.fixture
def payout_id(town: Town) -> str:
    _, payout_id = created(town, town.insured())
    town.until(lambda: status(town, payout_id) == "succeeded")
    return payout_id


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE ledger_entry SET amount_fen = amount_fen + 1 WHERE id = :id",
        "DELETE FROM ledger_entry WHERE id = :id",
        "INSERT INTO ledger_entry (id, transaction_id, account_id, amount_fen, check_field)"
        " SELECT gen_random_uuid(), transaction_id, account_id, 5, '' FROM ledger_entry WHERE id = :id",
        "UPDATE ledger_entry SET transaction_id ="
        " (SELECT id FROM ledger_transaction WHERE id <> transaction_id LIMIT 1) WHERE id = :id",
        "UPDATE ledger_entry SET amount_fen = 0 WHERE id = :id",
    ],
)
def test_what_does_not_add_up_is_not_committed(town: Town, payout_id: str, wrong: str) -> None:
    entry = town.value(
        "SELECT e.id FROM ledger_entry e JOIN ledger_transaction t ON t.id = transaction_id WHERE reference = :id"
        " LIMIT 1", id=payout_id)  # fmt: skip
    with pytest.raises(IntegrityError), town.runtime.work() as work:
        work.session.execute(text(wrong), {"id": entry})
    with town.runtime.read() as session:
        assert queries.ledger_faults(session) == []


def test_a_transaction_is_booked_once_and_balances_come_from_its_entries(town: Town, payout_id: str) -> None:
    insurer = town.value("SELECT insurer_id FROM payout WHERE id = :id", id=payout_id)
    with town.runtime.read() as session:
        before = ledger.balances(session, insurer)
    assert sum(before.values()) == 0 and before["payable"] == 0 and before["bank"] < 0
    with town.runtime.work() as work:
        reference = town.value("SELECT id FROM payout WHERE id = :id", id=payout_id)
        assert not ledger.book(work, "pay", reference, party_id=insurer, amount_fen=10_000, channel="bank")
    with town.runtime.read() as session:
        assert ledger.balances(session, insurer) == before
