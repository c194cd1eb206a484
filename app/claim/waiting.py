"""A bill that stands in two claims is decided in the order in which it was claimed: only then is it known how much of
it is left. The later claim waits, says so, and is woken by what it waits for; seldom it looks by itself.

It does not wait for ever: an insurer that is late with its decision holds nobody else up. From then on both may decide,
and whoever does so second finds only the rest (app.claim.decisions, `over_approved`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from app.claim import clocks, rules
from app.claim.models.claims import Claim, ClaimBill
from app.claim.queries import lookup, outcomes
from app.claim.states import State
from app.claim.steps import get
from app.core.work import Work

# An earlier claim may have become late, and its end may have crossed with the wait's beginning.
LOOK_AGAIN_AFTER = timedelta(hours=1)


def must_wait(work: Work, row: Claim, clearings: Sequence[ClaimBill]) -> bool:
    """Whether an earlier claim on one of these bills, which are locked, is still to be decided; the patient sees it."""
    if not any(_is_behind(work, clearing) for clearing in clearings):
        row.waiting = None
        return False
    if row.waiting is None:
        row.waiting = rules.waits_for(rules.EARLIER_CLAIM, work.now)
        work.later("claim.look_again", row.id, run_at=work.now + LOOK_AGAIN_AFTER)
    return True


def _is_behind(work: Work, clearing: ClaimBill) -> bool:
    mine = (clearing.business_date, clearing.ordinal)
    others = lookup.live_rows_of_bill(work.session, clearing.bill_id)
    earlier = [r for r in others if (r.business_date, r.ordinal) < mine and r.claim_id != clearing.claim_id]
    return any(_holds_up(work, r.claim_id) for r in earlier)


def _holds_up(work: Work, claim_id: UUID) -> bool:
    row = lookup.claim(work.session, claim_id)
    return row is not None and not outcomes.is_decided(work.session, row.id) and not clocks.decision_is_late(work, row)


def decided_or_ended(work: Work, claim_id: UUID) -> None:
    """Claims that may have waited for this one go on."""
    bill_ids = [clearing.bill_id for clearing in lookup.bills(work.session, claim_id)]
    for waiting_id in lookup.waiting_claims(work.session, bill_ids):
        _go_on(work, waiting_id)


def look_again(work: Work, claim_id: UUID) -> None:
    if _go_on(work, claim_id):
        work.later("claim.look_again", claim_id, run_at=work.now + LOOK_AGAIN_AFTER)


def _go_on(work: Work, claim_id: UUID) -> bool:
    """Whether the claim still waits; one that has waited long enough is delivered, once."""
    row = get(work, claim_id)
    if row.status != State.VERIFIED or row.waiting is None:
        return False
    if any(_is_behind(work, clearing) for clearing in lookup.live_rows(work.session, row.id)):
        return True
    row.waiting = None
    work.later("claim.deliver", row.id)
    return False
