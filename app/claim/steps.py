"""What every step of a claim needs: the row under its lock, the move with its holder, the bills' locks, the notice."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, null, select

from app.claim import clocks
from app.claim.models.claims import Claim
from app.claim.queries import lookup, outcomes
from app.claim.states import HOLDER, State, claims
from app.core.errors import Invalid, LostRace, NotFound
from app.core.work import Work
from app.notification import service as notification


def get(work: Work, claim_id: UUID) -> Claim:
    """The claim, locked: one step at a time, so that what is read of its state still holds at the commit."""
    return _locked(work, claim_id)


def mine(work: Work, account_id: UUID, claim_id: UUID) -> Claim:
    """The same for a patient; NotFound for what is not theirs."""
    row = _locked(work, claim_id)
    if row.account_id != account_id:
        raise NotFound
    return row


def of_insurer(work: Work, insurer_id: UUID, claim_no: str) -> Claim:
    """The same for a message; NotFound for another insurer's claim."""
    row = lookup.claim_by_no(work.session, claim_no, insurer_id)
    if row is None:
        raise NotFound
    return _locked(work, row.id)


def _locked(work: Work, claim_id: UUID) -> Claim:
    """Locked and read once: after that nobody but this transaction changes it."""
    held: dict[UUID, Claim] = work.session.info.setdefault("claim.locked", {})
    row = held.get(claim_id)
    if row is None or row not in work.session:
        row = work.session.get(Claim, claim_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound
        held[claim_id] = row
    return row


def advance(work: Work, row: Claim, event: str, **values: object) -> bool:
    """Move a claim, say who must act now and until when; what it waited for is over. False if a late or repeated
    message finds it elsewhere."""
    before = State(row.status)
    target = claims.target(before, event)
    if target is None:
        return False
    changed = {"holder": HOLDER[target], "waiting": null(), **values}
    if not claims.move(work, [row.id], event, values=changed, lenient=True):
        return False
    clocks.follow(work, row, before, target)
    return True


def require_not_early(row: Claim) -> None:
    """The insurer may answer before our own delivery has been noted: then its message waits for us."""
    if row.status in (State.VERIFIED, State.DELIVERING):
        raise LostRace("claim", "early message", [row.id])


def not_open(row: Claim) -> Invalid:
    """For an insurer whose message comes too late: what it says can no longer be done with the claim."""
    return Invalid("claim_not_open", "该理赔的当前状态不接受此消息", fields={"status": row.status})


def require_same_case(row: Claim, case_no: str) -> None:
    """Invalid if the insurer knows the claim under another number of its own: it may mean another claim."""
    if row.case_no not in (None, case_no):
        raise Invalid("case_no_differs", "赔案号与该理赔已有的赔案号不一致", fields={"case_no": "differs"})


def lock_bills(work: Work, bill_ids: Iterable[UUID]) -> None:
    """One decision about a bill at a time, whichever claims it stands in."""
    for bill_id in sorted(bill_ids):
        work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"claim-bill:{bill_id}", 0))))


def left_to_claim(work: Work, bill_id: UUID, borne_fen: int, but: UUID | None = None) -> int:
    """What the patient bore less what other live claims of the bill still have approved, and what they were paid for it
    before the hospital took it back or amended it and has not come back."""
    others = [row for row in lookup.live_rows_of_bill(work.session, bill_id) if row.claim_id != but]
    return borne_fen - sum(row.kept_fen for row in others) - outcomes.unrecovered_fen(work.session, bill_id, but)


def tell(work: Work, row: Claim, template: str, params: dict[str, str], mark: str) -> None:
    """A notice to the patient, once for each `mark`."""
    told = notification.Told(row.account_id, row.id, f"{template}:{row.id}:{mark}", row.person_id)
    notification.notify(work, template, told, params)
