"""A bill that the hospital amends after the insurer has decided on it: what it carries no more is not paid, and what
was paid of that must come back. How much that is: app.claim.support.

Nothing here is given: a bill that is amended upwards leaves everything as it is, and what was lost stays lost, also if
a later version raises the bill again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.claim import arithmetic, recovery, rules, support, versions
from app.claim.models.claims import Claim, ClaimBill
from app.claim.models.decisions import Decision, Recovery
from app.claim.queries import lookup, outcomes
from app.claim.shown import Compared
from app.claim.states import AT_INSURER
from app.claim.steps import get, lock_bills
from app.core.work import Work


def bills_amended(work: Work, bill_ids: Sequence[UUID]) -> None:
    """The same news again finds nothing to do."""
    for row in [get(work, claim.id) for claim in lookup.claims_of_bills(work.session, bill_ids)]:
        if row.status in AT_INSURER and outcomes.latest_decision(work.session, row.id) is not None:
            clearings = lookup.live_rows(work.session, row.id)
            lock_bills(work, [clearing.bill_id for clearing in clearings])
            follow(work, row, versions.compare_bills(work, row, clearings))


def follow(work: Work, row: Claim, bills: Mapping[str, Compared]) -> None:
    """Lower what a decided claim may be paid to what its bills carry, and open a recovery for each that carries less.
    The bills are locked."""
    if all(bill.now is None for bill in bills.values()):
        return
    work.session.flush()
    clearings = lookup.live_rows(work.session, row.id)
    decision = _standing(work, row)
    kept = _kept_fen(work, decision, clearings, bills)
    less = [one for one in clearings if kept[one.clearing_no] < one.kept_fen]
    for clearing in less:
        _lower(work, row, decision, clearing, kept[clearing.clearing_no])
    if less:
        work.audit("claim.bill_amended", "claim", row.id, clearing_nos=[one.clearing_no for one in less])
        recovery.go_on(work, row, clearings)


def _standing(work: Work, row: Claim) -> Decision:
    decision = outcomes.latest_decision(work.session, row.id)
    assert decision is not None
    return decision


def _lower(work: Work, row: Claim, decision: Decision, clearing: ClaimBill, kept_fen: int) -> None:
    before = [one for one in outcomes.recoveries(work.session, row.id) if one.clearing_no == clearing.clearing_no]
    payable_fen = min(clearing.payable_fen, kept_fen)
    opened = Recovery(
        claim_id=row.id,
        bill_id=clearing.bill_id,
        insurer_id=row.insurer_id,
        clearing_no=clearing.clearing_no,
        recovery_no=f"{clearing.clearing_no}-{len(before) + 1}",
        decision_no=decision.decision_no,
        reason=rules.AMENDED,
        lost_fen=clearing.kept_fen - kept_fen,
        share_fen=clearing.payable_fen - payable_fen,
        due_fen=0,
    )
    clearing.lost_fen += clearing.kept_fen - kept_fen
    clearing.payable_fen = payable_fen
    recovery.begin(work, opened)


def _kept_fen(
    work: Work, decision: Decision, clearings: Sequence[ClaimBill], bills: Mapping[str, Compared]
) -> dict[str, int]:
    """What each bill of the claim carries of the decision, by clearing number."""
    lines: dict[str, list[arithmetic.Line]] = {clearing.clearing_no: [] for clearing in clearings}
    names = arithmetic.Line.__dataclass_fields__
    for line in outcomes.decision_lines(work.session, decision.id):
        if line.clearing_no in lines:
            lines[line.clearing_no].append(arithmetic.Line(**{name: getattr(line, name) for name in names}))
    return support.supported_fen(
        [support.Judged(one.clearing_no, lines[one.clearing_no], _amended(work, one, bills)) for one in clearings]
    )


def _amended(work: Work, clearing: ClaimBill, bills: Mapping[str, Compared]) -> support.Amended | None:
    bill = bills[clearing.clearing_no]
    if bill.now is None:
        return None
    return support.Amended(bill.shown, bill.now, _left_fen(work, clearing, bill.now.borne_fen))


def _left_fen(work: Work, clearing: ClaimBill, borne_fen: int) -> int:
    """Who claimed first keeps first: what the claims before this one leave of the bill as it is now."""
    mine = (clearing.business_date, clearing.ordinal)
    rows = lookup.live_rows_of_bill(work.session, clearing.bill_id)
    earlier = [one for one in rows if (one.business_date, one.ordinal) < mine]
    elsewhere_fen = outcomes.paid_elsewhere_fen(work.session, clearing.bill_id)
    return borne_fen - sum(_keeps_fen(work, one) for one in earlier) - elsewhere_fen


def _keeps_fen(work: Work, clearing: ClaimBill) -> int:
    """What another claim keeps of a bill, also if the news of the bill has not been followed there yet."""
    row = lookup.claim(work.session, clearing.claim_id)
    if row is None or not clearing.kept_fen:
        return 0
    clearings = lookup.live_rows(work.session, row.id)
    bills = versions.compare_bills(work, row, clearings)
    return min(clearing.kept_fen, _kept_fen(work, _standing(work, row), clearings, bills)[clearing.clearing_no])
