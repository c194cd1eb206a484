"""The terms that somebody has for a claim, in days that each insurer may have agreed otherwise (`terms` of its party).

decision: 30 days from the claim's receipt, without the time in which the claimant supplements documents, which lasts
until they have reached the insurer (Insurance Law of the PRC, article 23; Supreme People's Court, Interpretation II on
it, article 15). An appeal begins it anew.
prepay: what is certain is paid 60 days after receipt where no decision came (article 25).
payment: 10 days from the agreement (article 23).
letter: a refusal with its reasons is sent within 3 days (article 24).

The day on which a term begins does not count, and it ends with its last day (Civil Code of the PRC, articles 201, 203).
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.claim.models.claims import Claim, ClaimClock
from app.claim.queries import lookup
from app.claim.states import DECISION_DUE, UNDECIDED, State
from app.core.clock import SHANGHAI, shanghai_date
from app.core.log import get_log
from app.core.work import Work
from app.exchange import service as exchange

# A clock runs while its claim is in one of these. `letter` runs from a decision that refuses until it is sent.
RUNS_IN = {
    "decision": DECISION_DUE,
    "prepay": UNDECIDED,
    "payment": (State.ACCEPTED, State.PAYING),
}
PAUSABLE = ("decision",)
# The letter is ours to write: the insurer hears of all others.
INSURERS = ("decision", "prepay", "payment")
MOST_LATE = 500  # marked in one transaction
log = get_log(__name__)


class Terms(BaseModel):
    """Days. `documents`: how long a patient has for documents at most, and where the insurer names no deadline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    documents: int = Field(30, ge=1, le=365)
    decision: int = Field(30, ge=1, le=365)
    prepay: int = Field(60, ge=1, le=365)
    payment: int = Field(10, ge=1, le=365)
    letter: int = Field(3, ge=1, le=365)


def terms(work: Work, insurer_id: UUID) -> Terms:
    """What the insurer has agreed; the law's where that cannot be read, which is no reason to hold a claim up."""
    try:
        return Terms.model_validate(exchange.party(work.session, insurer_id).config.get("terms", {}))
    except ValidationError as error:
        log.error("terms_unreadable", insurer=insurer_id, faults=error.error_count())
        return Terms()


def due(started_at: datetime, days: int, paused: timedelta = timedelta()) -> datetime:
    """The end of the last day in Shanghai, in UTC."""
    last = shanghai_date(started_at + paused) + timedelta(days=days)
    return datetime.combine(last + timedelta(days=1), time.min, SHANGHAI).astimezone(UTC)


def follow(work: Work, row: Claim, before: State, after: State) -> None:
    """The claim has moved: start and stop what runs in these states."""
    for kind, states in RUNS_IN.items():
        if before not in states and after in states:
            start(work, row, kind)
        elif before in states and after not in states:
            stop(work, row, kind)


def start(work: Work, row: Claim, kind: str) -> None:
    days = getattr(terms(work, row.insurer_id), kind)
    work.add(ClaimClock(claim_id=row.id, kind=kind, days=days, started_at=work.now, due_at=due(work.now, days)))


def stop(work: Work, row: Claim, kind: str) -> None:
    if kind in PAUSABLE:
        resume(work, row)
    clock = lookup.running_clock(work.session, row.id, kind)
    if clock is not None:
        clock.ended_at = work.now


def resume(work: Work, row: Claim) -> None:
    """The pause is over, if there is one, and is added to those before."""
    if row.clock_paused_since is None:
        return
    paused_s = int((work.now - row.clock_paused_since).total_seconds())
    row.clock_paused_since = None
    for kind in PAUSABLE:
        clock = lookup.running_clock(work.session, row.id, kind)
        if clock is not None:
            clock.paused_s += paused_s
            clock.due_at = due(clock.started_at, clock.days, timedelta(seconds=clock.paused_s))


def decision_is_late(work: Work, row: Claim) -> bool:
    """Whether an undecided claim has had its time; before the insurer has it, that runs from its submission on."""
    clock = lookup.running_clock(work.session, row.id, "decision")
    if clock is None:
        return due(row.submitted_at, terms(work, row.insurer_id).decision) <= work.now
    return row.clock_paused_since is None and clock.due_at <= work.now


def mark_late(work: Work) -> int:
    """Mark and tell what has become late since the last time: each once. How many."""
    late = lookup.clocks_to_mark(work.session, work.now, PAUSABLE, MOST_LATE)
    for clock, row in late:
        clock.late_at = work.now
        work.audit("claim.late", "claim", row.id, kind=clock.kind)
        if clock.kind in INSURERS:
            exchange.publish(work, row.insurer_id, "claim.late", _told(clock, row))
    return len(late)


def _told(clock: ClaimClock, row: Claim) -> dict[str, object]:
    return {
        "claim_no": row.no,
        "case_no": row.case_no,
        "kind": clock.kind,
        "days": clock.days,
        "paused_s": clock.paused_s,
        "started_at": clock.started_at.isoformat(),
        "due_at": clock.due_at.isoformat(),
        "holder": row.holder,
        "holder_since": row.status_since.isoformat(),
    }
