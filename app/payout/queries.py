from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, any_, case, func, literal, select
from sqlalchemy.orm import Session

from app.core.paging import PageQuery, page
from app.payout.models import LedgerAccount, LedgerEntry, LedgerTransaction, Payout, PayoutApproval
from app.payout.states import MOVING, UNSENT, State

_DEAD = (State.FAILED, State.CANCELLED, State.RETURNED)


def payout(session: Session, payout_id: UUID) -> Payout | None:
    return session.get(Payout, payout_id)


def bound_fen(session: Session, claim_id: UUID) -> int:
    """What a claim's payouts have moved or can still move."""
    mine = (Payout.claim_id == claim_id, Payout.status.not_in(_DEAD))
    return int(session.scalar(select(func.coalesce(func.sum(Payout.amount_fen), 0)).where(*mine)) or 0)


def is_open(session: Session, claim_id: UUID) -> bool:
    """Whether a payout of the claim can still move money."""
    mine = (Payout.claim_id == claim_id, Payout.status.in_((*UNSENT, *MOVING)))
    return session.scalar(select(Payout.id).where(*mine).limit(1)) is not None


def paid_fen(session: Session, claim_id: UUID) -> int:
    """What a claim's payouts have moved."""
    mine = (Payout.claim_id == claim_id, Payout.status == State.SUCCEEDED)
    return int(session.scalar(select(func.coalesce(func.sum(Payout.amount_fen), 0)).where(*mine)) or 0)


def locked(session: Session, claim_id: UUID) -> Sequence[Payout]:
    """A claim's payouts, locked in the order of their ids; before the claim's own lock, as everywhere."""
    mine = select(Payout).where(Payout.claim_id == claim_id).order_by(Payout.id)
    return session.scalars(mine.with_for_update().execution_options(populate_existing=True)).all()


def of_claim(session: Session, claim_id: UUID) -> Sequence[Payout]:
    return session.scalars(select(Payout).where(Payout.claim_id == claim_id).order_by(Payout.id)).all()


def by_number(session: Session, out_no: str) -> Payout | None:
    return session.scalar(select(Payout).where(Payout.out_no == out_no))


def approvals(session: Session, payout_id: UUID) -> Sequence[UUID]:
    return session.scalars(select(PayoutApproval.operator_id).where(PayoutApproval.payout_id == payout_id)).all()


def page_by_status(
    session: Session, status: str, insurer_id: UUID | None, query: PageQuery
) -> tuple[Sequence[Payout], UUID | None]:
    """Payouts in a state, of one insurer or of all."""
    found = select(Payout).where(Payout.status == status)
    if insurer_id is not None:
        found = found.where(Payout.insurer_id == insurer_id)
    return page(session, found, Payout.id, query)


def ledger_faults(session: Session) -> list[str]:
    """`what:id` of each transaction that does not add up to zero or has no two sides, and of each payout whose money
    and books do not say the same; empty while the ledger holds."""
    sums = (
        select(LedgerTransaction.id)
        .outerjoin(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .group_by(LedgerTransaction.id)
        .having((func.coalesce(func.sum(LedgerEntry.amount_fen), 1) != 0) | (func.count(LedgerEntry.id) < 2))
    )
    found = [f"ledger_transaction:{row_id}" for row_id in session.scalars(sums.order_by(LedgerTransaction.id))]
    return found + [f"payout:{row_id}" for row_id in session.scalars(_unlike_books())]


def _unlike_books() -> Select[UUID]:
    """Payouts whose booked payment, less what came back, is not what their state says was paid."""
    net = (
        select(LedgerTransaction.reference.label("payout_id"), func.sum(_signed()).label("net_fen"))
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(LedgerTransaction.kind.in_(("pay", "return")), LedgerEntry.amount_fen > 0)
        .group_by(LedgerTransaction.reference)
        .subquery()
    )
    paid_fen = case((Payout.status == State.SUCCEEDED, Payout.amount_fen), else_=0)
    joined = select(Payout.id).outerjoin(net, net.c.payout_id == Payout.id)
    return joined.where(func.coalesce(net.c.net_fen, 0) != paid_fen).order_by(Payout.id)


def _signed() -> ColumnElement[int]:
    return case((LedgerTransaction.kind == "pay", LedgerEntry.amount_fen), else_=-LedgerEntry.amount_fen)


class Movement(NamedTuple):
    """A payout, or its coming back (退票), for comparison with the bank side.

    `ledger_fen`: what the books of accounts say went out of (came back to) the channel's account, None where nothing is
    booked; `booked_on` the day of that.
    """

    number: str
    party_id: UUID
    channel: str
    amount_fen: int
    status: str
    booked_on: date | None
    ledger_fen: int | None


def movements(session: Session, kind: str, *, day: date | None = None, numbers: Collection[str] = ()) -> list[Movement]:
    """Payouts (`kind` pay) that were paid on `day`, or returns (`return`), and those with one of our `numbers`."""
    booked = (
        select(
            LedgerTransaction.reference.label("payout_id"),
            LedgerTransaction.business_date.label("booked_on"),
            func.abs(func.sum(LedgerEntry.amount_fen)).label("ledger_fen"),
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.kind == kind, LedgerAccount.kind.in_(("wechat", "bank")))
        .group_by(LedgerTransaction.reference, LedgerTransaction.business_date)
        .subquery()
    )
    on = func.coalesce(booked.c.booked_on, Payout.business_date)
    columns = (Payout.out_no, Payout.insurer_id, Payout.channel, Payout.amount_fen, Payout.status, on)
    wanted = Payout.out_no == any_(literal(list(numbers), ARRAY(Text)))
    if day is not None:
        moved = (State.RETURNED,) if kind == "return" else (State.SUCCEEDED, State.RETURNED)
        wanted |= (on == day) & (Payout.status.in_(moved) | booked.c.payout_id.is_not(None))
    found = select(*columns, booked.c.ledger_fen).outerjoin(booked, booked.c.payout_id == Payout.id).where(wanted)
    return [Movement(*row) for row in session.execute(found)]
