"""What the hospital takes back after the insurer has decided: no money goes out for it any more, and what went out must
come back to the insurer (追回). Whether money went out is known one floor higher: app.payout.recovering. What it amends
is app.claim.amendment's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.claim import rules
from app.claim.assembly import why_lost
from app.claim.contracts import partners
from app.claim.models.claims import Claim, ClaimBill
from app.claim.models.decisions import Decision, Recovery
from app.claim.queries import lookup, outcomes
from app.claim.states import AT_INSURER, DECISION_DUE, RecoveryState, State, recoveries
from app.claim.steps import advance, get, of_insurer, tell
from app.claim.withdrawal import give_back, reversing_rows
from app.core.errors import Invalid, NotFound
from app.core.work import Work
from app.record import queries as record


def bills_lost(work: Work, bill_ids: Sequence[UUID]) -> None:
    """A refund or a reversed e-bill: a claim that is not decided yet is taken back, in a decided one the bill is given
    up. The same news again finds nothing to do."""
    lost = {bill.id: why for bill in record.bills(work.session, bill_ids) if (why := why_lost(bill)) is not None}
    for row in [get(work, claim.id) for claim in lookup.claims_of_bills(work.session, list(lost))]:
        decision = outcomes.latest_decision(work.session, row.id)
        if decision is None:
            mine = [clearing.bill_id for clearing in lookup.live_rows(work.session, row.id)]
            give_back(work, row, next(lost[bill_id] for bill_id in mine if bill_id in lost))
        elif row.status in AT_INSURER:
            _give_up(work, row, decision, lost)


def _give_up(work: Work, row: Claim, decision: Decision, lost: Mapping[UUID, str]) -> None:
    """These bills leave the claim: nothing is payable for them from here on. Their recoveries wait for what payout
    knows of the money."""
    clearings = lookup.live_rows(work.session, row.id)
    taken = [clearing for clearing in clearings if clearing.bill_id in lost]
    for clearing, reversal in zip(taken, reversing_rows(work, taken), strict=True):
        recovery = Recovery(
            claim_id=row.id,
            bill_id=clearing.bill_id,
            insurer_id=row.insurer_id,
            clearing_no=clearing.clearing_no,
            recovery_no=reversal.clearing_no,
            decision_no=decision.decision_no,
            reason=lost[clearing.bill_id],
            lost_fen=clearing.kept_fen,
            share_fen=clearing.payable_fen,
            due_fen=0,
        )
        clearing.live, clearing.payable_fen = False, 0
        begin(work, recovery)
    go_on(work, row, [clearing for clearing in clearings if clearing.live])


def begin(work: Work, recovery: Recovery) -> None:
    """Nothing is owed yet: how much of its share was paid is found out next."""
    recoveries.start(work, recovery, RecoveryState.WAITING)
    _tell_insurer(work, recovery)


def go_on(work: Work, row: Claim, left: Sequence[ClaimBill]) -> None:
    """With the bills that are left; a decided claim of which nothing is left ends."""
    undecided = row.status in (*DECISION_DUE, State.REJECTED)
    if not left or not (undecided or any(clearing.kept_fen for clearing in left)):
        advance(work, row, "lose_bills", accept_by=None)
    work.emit("claim.bills_lost", row.id)


def owe(work: Work, recovery: Recovery, due_fen: int) -> None:
    """The payee has `due_fen` of what must come back."""
    recovery.due_fen = due_fen
    recoveries.move(work, [recovery.id], "owe")
    _news(work, recovery, "recovery_opened", {"reason": rules.TEXTS[recovery.reason]})


def came_back(work: Work, recovery: Recovery, amount_fen: int) -> None:
    """The bank sent so much of it back to the insurer (退票)."""
    recovery.due_fen -= amount_fen
    if recovery.due_fen == 0:
        void(work, recovery)
    else:
        _tell_insurer(work, recovery)


def void(work: Work, recovery: Recovery) -> None:
    """Nothing has to come back."""
    recoveries.move(work, [recovery.id], "void")
    template = "claim_lowered" if recovery.reason == rules.AMENDED else "claim_bill_lost"
    _news(work, recovery, template, {"reason": rules.TEXTS[recovery.reason]})


def ended(work: Work, insurer_id: UUID, said: partners.RecoveryEndedIn) -> Recovery | None:
    """The insurer's word on its money; None if it said so before. Invalid for another amount, or while nobody knows
    what must come back."""
    row = of_insurer(work, insurer_id, said.claim_no)
    recovery = outcomes.recovery_by_no(work.session, said.recovery_no, row.id)
    if recovery is None:
        raise NotFound
    if recovery.status in (RecoveryState.REPAID, RecoveryState.WRITTEN_OFF):
        return None
    if recovery.status != RecoveryState.OPEN:
        raise Invalid("recovery_not_open", "没有需要追回的款项")
    recovery.require_check(work.privacy)
    if said.amount_fen != recovery.due_fen:
        raise Invalid("recovery_differs", "金额与应追回金额不符", fields={"amount_fen": f"= {recovery.due_fen}"})
    recoveries.move(work, [recovery.id], "repay" if said.outcome == "repaid" else "write_off")
    _news(work, recovery, "recovery_ended", {"reason": rules.RECOVERY_TEXTS[said.outcome]})
    return recovery


def to_tell(work: Work, recovery_id: UUID) -> dict[str, object]:
    """What the insurer is told of a recovery, as it stands now."""
    recovery = work.session.get(Recovery, recovery_id)
    assert recovery is not None
    names = ("recovery_no", "clearing_no", "decision_no", "reason", "status", "lost_fen", "share_fen", "due_fen")
    return {name: getattr(recovery, name) for name in names}


def _news(work: Work, recovery: Recovery, template: str, params: dict[str, str]) -> None:
    row = get(work, recovery.claim_id)
    tell(work, row, template, params, recovery.recovery_no)
    _tell_insurer(work, recovery)


def _tell_insurer(work: Work, recovery: Recovery) -> None:
    work.later("claim.tell_recovery", recovery.claim_id, args={"recovery_id": str(recovery.id)})
