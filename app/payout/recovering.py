"""Money for a bill that the hospital has taken back: what was not sent is stopped, what arrived must come back (追回).

Everything of one claim is reckoned together: its payouts may add up to what is payable and what its recoveries owe.
Payouts are locked before the claim.
"""

from __future__ import annotations

from uuid import UUID

from app.claim import service as claims
from app.claim.contracts import partners
from app.claim.queries import outcomes
from app.claim.states import RecoveryState
from app.core.work import Work
from app.payout import ledger, queries, rules
from app.payout.models import Payout
from app.payout.states import UNSENT, payouts


def bills_lost(work: Work, claim_id: UUID) -> None:
    """Bills were taken out of a decided claim; the same news again finds nothing to do."""
    for row in queries.locked(work.session, claim_id):
        if row.status in UNSENT and queries.bound_fen(work.session, claim_id) > claims.ceiling_fen(work, claim_id):
            stop(work, row)
    waiting = _in_state(work, claim_id, RecoveryState.WAITING)
    if waiting:
        resolve(work, claim_id, cause=waiting[0].id)


def stop(work: Work, row: Payout) -> None:
    """Nothing was sent and nothing will be; what is still payable of the claim gets a payout of its own."""
    payouts.move(work, [row.id], "stop", values={"failed_code": "stopped"})
    claims.stopped(work, row.claim_id)


def resolve(work: Work, claim_id: UUID, *, cause: UUID) -> None:
    """Settle what each waiting recovery comes to, as far as it is known: called when bills are lost (`cause` the first
    recovery) and whenever a payout ends (`cause` its id)."""
    ceiling_fen = claims.ceiling_fen(work, claim_id)
    waiting = _in_state(work, claim_id, RecoveryState.WAITING)
    paid_fen, bound_fen = queries.paid_fen(work.session, claim_id), queries.bound_fen(work.session, claim_id)
    shares_fen = [recovery.share_fen for recovery in waiting]
    dues = rules.dues(shares_fen, over_fen=paid_fen - ceiling_fen, moving_fen=bound_fen - paid_fen)
    for recovery, due_fen in zip(waiting, dues, strict=True):
        if due_fen:
            claims.owe(work, recovery, due_fen)
            ledger.book(work, "recover", recovery.id, party_id=recovery.insurer_id, amount_fen=due_fen)
        elif due_fen == 0:
            claims.void(work, recovery)
    _unapprove(work, claim_id, cause)


def came_back(work: Work, row: Payout) -> None:
    """A bank returned a payout (退票): that lowers first what must come back of the claim's payouts."""
    left_fen = row.amount_fen
    for recovery in _in_state(work, row.claim_id, RecoveryState.OPEN):
        amount_fen = min(left_fen, recovery.due_fen)
        if amount_fen > 0:
            claims.came_back(work, recovery, amount_fen)
            left_fen -= amount_fen
    lowered_fen = row.amount_fen - left_fen
    if lowered_fen:
        ledger.book(work, "unrecover", row.id, party_id=row.insurer_id, amount_fen=lowered_fen)
    resolve(work, row.claim_id, cause=row.id)


def ended(work: Work, insurer_id: UUID, said: partners.RecoveryEndedIn) -> None:
    """The insurer's word: repaid to it, or given up."""
    recovery = claims.ended(work, insurer_id, said)
    if recovery is not None:
        kind = "repay" if said.outcome == "repaid" else "write_off"
        ledger.book(work, kind, recovery.id, party_id=insurer_id, amount_fen=recovery.due_fen)


def book_approved(work: Work, row: Payout, ceiling_fen: int) -> None:
    """A new payout: what its claim's payouts may add up to is now owed to the patient, less what was booked before."""
    more_fen = ceiling_fen - _booked_fen(work, row.claim_id)
    if more_fen > 0:
        ledger.book(work, "approve", row.id, party_id=row.insurer_id, amount_fen=more_fen)


def _unapprove(work: Work, claim_id: UUID, cause: UUID) -> None:
    """What is booked as owed to the patient and is neither payable nor on its way is owed no more."""
    rows = queries.of_claim(work.session, claim_id)
    right_fen = max(claims.ceiling_fen(work, claim_id), queries.bound_fen(work.session, claim_id))
    less_fen = _booked_fen(work, claim_id) - right_fen
    if less_fen > 0:
        ledger.book(work, "unapprove", cause, party_id=rows[0].insurer_id, amount_fen=less_fen)


def _booked_fen(work: Work, claim_id: UUID) -> int:
    references = [row.id for row in queries.of_claim(work.session, claim_id)]
    references += [row.id for row in outcomes.recoveries(work.session, claim_id)]
    return ledger.approved_fen(work.session, references)


def _in_state(work: Work, claim_id: UUID, state: RecoveryState) -> list[outcomes.Recovery]:
    return [row for row in outcomes.recoveries(work.session, claim_id) if row.status == state]
