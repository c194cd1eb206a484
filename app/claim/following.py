"""Insurers that say nothing by themselves: what they are asked about a case, how often, and what is heard."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.claim import versions
from app.claim.models.claims import Claim
from app.claim.queries import lookup, outcomes
from app.claim.states import DECIDABLE, UNDECIDED
from app.claim.steps import get
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import Endpoint

POLL_S = 60.0
REVISED_RARELY = 10  # times that pause between two looks at a decision that may still be revised


@dataclass(frozen=True)
class Asking:
    """One question about a case. `pause_s` is how long to wait before the next."""

    at: Endpoint
    claim_id: UUID
    insurer_id: UUID
    pause_s: float
    case: dict[str, Any] = field(repr=False)


def question(work: Work, claim_id: UUID) -> Asking | None:
    """None once the decision is accepted or the case has ended."""
    row = get(work, claim_id)
    if row.status not in DECIDABLE:
        return None
    clearings = [r for r in lookup.bills(work.session, row.id) if r.kind == "pay"]
    bills = versions.compare_bills(work, row, clearings)
    lines = {number: [(line.line_no, line.amount_fen) for line in bill.shown.lines] for number, bill in bills.items()}
    at = exchange.endpoint(work.session, work.privacy, row.insurer_id)
    case = {"claim_no": row.no, "lines": lines, "decision": _standing(work, row.id)}
    return Asking(at, row.id, row.insurer_id, _pause_s(work, row), case)


def begin(work: Work, claim_id: UUID) -> None:
    work.later("claim.follow", claim_id)


def go_on(work: Work, claim_id: UUID, heard: Collection[str]) -> None:
    """Ask again later, unless there is nothing left to hear. What was `heard` is not listened to twice: a decision that
    was refused would be refused again every time."""
    row = get(work, claim_id)
    if row.status in DECIDABLE:
        run_at = work.now + timedelta(seconds=_pause_s(work, row))
        work.later("claim.follow", claim_id, run_at=run_at, args={"heard": sorted(heard)})


def refuse(work: Work, asking: Asking, kind: str, number: str, code: str) -> None:
    """Nothing came of an answer of the insurer's, and its feed says so."""
    told = {"type": kind, "claim_no": asking.case["claim_no"], "number": number, "code": code}
    work.audit("claim.news_refused", "claim", asking.claim_id, type=kind, code=code)
    exchange.publish(work, asking.insurer_id, "claim.news_refused", told)


def _standing(work: Work, claim_id: UUID) -> dict[str, str | None] | None:
    """The decision that a new one would supersede."""
    decision = outcomes.latest_decision(work.session, claim_id)
    return None if decision is None else {"decision_no": decision.decision_no, "supersedes": decision.supersedes}


def _pause_s(work: Work, row: Claim) -> float:
    pause_s = float(exchange.party(work.session, row.insurer_id).config.get("poll_s", POLL_S))
    return pause_s if row.status in UNDECIDED else pause_s * REVISED_RARELY
