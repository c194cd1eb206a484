"""Our own side of a day's funds, put beside the bills that arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.privacy import Privacy
from app.exchange import service as exchange
from app.identity import service as identity
from app.payment import queries as payments
from app.payout import queries as payouts
from app.reconciliation import queries, rules
from app.reconciliation.funds.bills import BANK, FLOW, OPERATION, PAYMENT, PAYOUT, REFUND, RETURN, TRADE, Bill
from app.reconciliation.funds.comparison import Own, Scene, Side
from app.reconciliation.states import LedgerState

_PAID = frozenset({"paid", "closed", "disputed"})
_BANK_KINDS = {PAYOUT: "pay", RETURN: "return"}


def gather(session: Session, privacy: Privacy, day: date, found: Mapping[Side, Bill]) -> Scene:
    """The bills of a day that were `found`, everything of ours that belongs to it, and whatever of ours they name."""
    roles = {party.id: kind for kind in ("hospital", "insurer") for party in exchange.parties(session, kind)}
    own = {(row.what, row.number): row for row in _own(session, day, found)}
    nearby: set[tuple[str, str]] = set()
    for back in range(-rules.DAY_CUT_DAYS, rules.DAY_CUT_DAYS + 1):
        other = queries.last_run(session, day + timedelta(back), kind=rules.FUNDS) if back else None
        if other is not None:
            nearby |= {(row.what, row.number) for bill in bills(session, other.id).values() for row in bill.rows}
    return Scene(found, own, frozenset(nearby), roles, _accounts(session, privacy, roles))


def bills(session: Session, run_id: UUID) -> dict[Side, Bill]:
    """The bills of a run that have arrived."""
    return {
        (row.role, row.party_id): Bill.load(row.packed)
        for row in queries.ledgers(session, run_id, packed=True)
        if row.status == LedgerState.ARRIVED and row.packed is not None and row.party_id is not None
    }


def _own(session: Session, day: date, found: Mapping[Side, Bill]) -> Iterator[Own]:
    named: dict[str, set[str]] = {what: set() for what in (PAYMENT, REFUND, PAYOUT, RETURN, FLOW)}
    for bill in found.values():
        for moved in bill.rows:
            named[moved.what].add(moved.number)
    for what, look in ((PAYMENT, payments.payments), (REFUND, payments.refunds)):
        for row in look(session, day=day, numbers=named[what]):
            counts = what == REFUND or row.status in _PAID
            on_day = row.booked_on == day and counts
            yield Own(what, row.number, (TRADE, row.party_id), row.amount_fen, row.status, on_day)
    banks = exchange.parties(session, "bank")
    for what, kind in _BANK_KINDS.items():
        for out in payouts.movements(session, kind, day=day, numbers=named[what]):
            at_bank = out.channel == "bank" and banks
            side = (BANK, banks[0].id) if at_bank else (OPERATION, out.party_id)
            moved_on_day = out.booked_on == day and (what == PAYOUT or out.ledger_fen is not None)
            yield Own(what, out.number, side, out.amount_fen, out.status, moved_on_day, out.ledger_fen)


def _accounts(session: Session, privacy: Privacy, roles: Mapping[UUID, str]) -> dict[str, UUID]:
    """Whose each paying account is; for a row of the bank's statement that we do not know."""
    found = {}
    for party_id, role in roles.items():
        if role == "insurer":
            try:
                found[identity.paying_bank_account(session, privacy, party_id).account] = party_id
            except NotFound:
                continue
    return found
