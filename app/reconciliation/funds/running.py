"""A run of funds: asking for every bill, taking it in, and keeping what the comparison found.

Each function works inside one transaction.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.reconciliation import arriving, collecting, queries, results, rules
from app.reconciliation.funds.bills import BANK, BASIC, OPERATION, TRADE, Bill
from app.reconciliation.funds.comparison import Found, Scene, Side
from app.reconciliation.models import PartyLedger, Run
from app.reconciliation.queries import Known
from app.reconciliation.results import Changes
from app.reconciliation.states import LedgerState, RunState, ledgers, runs

FETCH = "reconciliation.fetch_bill"


@dataclass(frozen=True)
class WantedFunds:
    business_date: date
    started_by: str
    wait: timedelta = rules.BILLS_LIMIT


def start(work: Work, wanted: WantedFunds) -> Run:
    """A new run that asks WeChat Pay for the bills of every merchant number and each bank for its statement; a run that
    is under way is given back. Invalid as `collecting.require_day`."""
    collecting.require_day(work.clock, wanted.business_date)
    collecting.lock_day(work, wanted.business_date)
    running = collecting.running(work, rules.FUNDS, wanted.business_date)
    if running is not None:
        return running
    run = Run(
        kind=rules.FUNDS,
        business_date=wanted.business_date,
        attempt=queries.last_attempt(work.session, rules.FUNDS, wanted.business_date) + 1,
        started_by=wanted.started_by,
        collect_until=work.now + wanted.wait,
    )
    runs.start(work, run, RunState.COLLECTING)
    work.session.flush()
    for side in sides(work.session):
        _wait_for(work, run, *side)
    work.later("reconciliation.deadline", run.id, run_at=run.collect_until + rules.DEADLINE_GRACE)
    arriving.close(work, run.id)
    return run


def sides(session: Session) -> list[Side]:
    """The bills of every merchant number and each bank's statement."""
    of_merchants = [(role, owner) for owner in identity.merchant_owners(session) for role in (TRADE, BASIC, OPERATION)]
    return of_merchants + [(BANK, bank.id) for bank in exchange.parties(session, "bank")]


def _wait_for(work: Work, run: Run, role: str, party_id: UUID) -> None:
    ledger = PartyLedger(run_id=run.id, party_id=party_id, role=role)
    ledgers.start(work, ledger, LedgerState.WAITING)
    work.session.flush()
    work.later(FETCH, ledger.id)


def arrived(work: Work, ledger_id: UUID, bill: Bill, content: bytes | None) -> None:
    """The bill is here; None as its content: nothing happened that day."""
    ledger = arriving.locked(work, ledger_id)
    if ledger is None:
        return
    values = {
        "packed": bill.dump(),
        "source": "bill",
        "row_count": len(bill.rows) + len(bill.bad_lines),
        "bad_count": len(bill.bad_lines),
        "readable_fen": bill.sum_fen,
        "sha256": sha256(content).hexdigest() if content is not None else None,
    }
    ledgers.move(work, [ledger.id], "arrive", values=values)
    arriving.close(work, ledger.run_id)


def store(work: Work, run_id: UUID, scene: Scene, found: Found) -> None:
    """Differences: new, still there, healed; then the run ends. What had no bill this time is left alone."""
    run = work.session.scalars(select(Run).where(Run.id == run_id).with_for_update()).one()
    collecting.lock_day(work, run.business_date)
    results.apply(work, run, changes(work.session, run.business_date, scene, found))
    is_blocked = any(row.status == LedgerState.BLOCKED for row in queries.ledgers(work.session, run.id))
    counts = {what: asdict(count) for what, count in found.counts.items()}
    results.end(work, run, is_blocked, {}, counts)


def changes(session: Session, day: date, scene: Scene, found: Found) -> Changes:
    known = queries.known_of_day(session, day, rules.FUNDS_KINDS)
    return results.against(known, found.seen, lambda row: _was_looked_at(row, scene))


def _was_looked_at(row: Known, scene: Scene) -> bool:
    """Whether the bill on which it was seen, or missed, has arrived."""
    if row.role == BANK:
        return any(kind == BANK for kind, _ in scene.bills)
    owner = row.hospital_id or row.insurer_id
    return owner is not None and (row.role or "", owner) in scene.bills
