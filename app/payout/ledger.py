"""Double entry: every transaction adds up to zero, once for what it is about."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.work import Work
from app.payout.models import LedgerAccount, LedgerEntry, LedgerTransaction

# Which account is debited and which is credited; `channel` is wechat or bank.
SIDES = {
    "approve": ("expense", "payable"),
    "unapprove": ("payable", "expense"),
    "pay": ("payable", "channel"),
    "return": ("channel", "payable"),
    "recover": ("receivable", "expense"),
    "unrecover": ("expense", "receivable"),
    "repay": ("collected", "receivable"),
    "write_off": ("expense", "receivable"),
}


def book(work: Work, kind: str, reference: UUID, *, party_id: UUID, amount_fen: int, channel: str = "") -> bool:
    """Book one transaction; False if it was booked before."""
    new = insert(LedgerTransaction).values(
        id=LedgerTransaction().id, kind=kind, reference=reference, business_date=work.clock.today()
    )
    made = work.session.scalar(new.on_conflict_do_nothing().returning(LedgerTransaction.id))
    if made is None:
        return False
    debit, credit = (channel if side == "channel" else side for side in SIDES[kind])
    for side, signed_fen in ((debit, amount_fen), (credit, -amount_fen)):
        work.add(LedgerEntry(transaction_id=made, account_id=_account(work, party_id, side), amount_fen=signed_fen))
    return True


def approved_fen(session: Session, references: Collection[UUID]) -> int:
    """What stands booked as approved under these payouts and recoveries."""
    kinds = {"approve": 1, "unapprove": -1}
    amount = case(kinds, value=LedgerTransaction.kind) * LedgerEntry.amount_fen
    found = (
        select(func.coalesce(func.sum(amount), 0))
        .select_from(LedgerTransaction)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.kind.in_(kinds),
            LedgerTransaction.reference.in_(references),
            LedgerEntry.amount_fen > 0,
        )
    )
    return int(session.scalar(found) or 0)


def balances(session: Session, party_id: UUID) -> dict[str, int]:
    """Balance of each account of an insurer, computed from its entries; debit positive."""
    rows = session.execute(
        select(LedgerAccount.kind, func.coalesce(func.sum(LedgerEntry.amount_fen), 0))
        .outerjoin(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .where(LedgerAccount.party_id == party_id)
        .group_by(LedgerAccount.kind)
    )
    return {kind: int(amount_fen) for kind, amount_fen in rows}


def _account(work: Work, party_id: UUID, kind: str) -> UUID:
    mine = select(LedgerAccount.id).where(LedgerAccount.party_id == party_id, LedgerAccount.kind == kind)
    known = work.session.scalar(mine)
    if known is None:
        new = insert(LedgerAccount).values(id=LedgerAccount().id, party_id=party_id, kind=kind)
        work.session.execute(new.on_conflict_do_nothing())
        known = work.session.scalars(mine).one()
    return known
