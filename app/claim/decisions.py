"""What the insurer says: a case number, a decision for every line; or, while it still examines, for some of them."""

from __future__ import annotations

from uuid import UUID

from app.claim import amendment, clocks, letter, objections, rules, versions
from app.claim.contracts import partners
from app.claim.models.claims import Claim, ClaimBill
from app.claim.models.decisions import Decision, DecisionLine
from app.claim.queries import lookup, outcomes
from app.claim.shown import Compared
from app.claim.steps import (
    advance,
    lock_bills,
    of_insurer,
    require_not_early,
    require_same_case,
    tell,
)
from app.core.errors import Invalid
from app.core.work import Work
from app.exchange import service as exchange


def case_opened(work: Work, insurer_id: UUID, said: partners.CaseOpenedIn) -> None:
    row = of_insurer(work, insurer_id, said.claim_no)
    require_same_case(row, said.case_no)
    row.case_no = said.case_no


def adjudicated(work: Work, insurer_id: UUID, said: partners.AdjudicatedIn) -> None:
    """A decision: every line adds up, no bill is paid beyond what the patient bore, and a late one changes nothing.

    1. The same decision again is dropped.
    2. It is checked under the bills' locks. One that does not hold, or comes after the claim has ended or its result
       was accepted, changes nothing, and the insurer is told why.
    3. Decision, lines, clearing rows, state and notice in one transaction.
    4. It speaks of the bills as they were shown; what the hospital has amended since is followed at once.
    """
    row = of_insurer(work, insurer_id, said.claim_no)
    known = outcomes.decision(work.session, row.id, said.decision_no)
    if known is not None and (known.outcome, known.approved_fen) == (said.outcome, said.approved_fen):
        return
    require_not_early(row)
    try:
        objections.require_open(row, said, known)
        clearings, bills = _locked_bills(work, row)
        approved = objections.approved_fen(work, row, said, clearings, bills)
        payable = objections.payable_fen(said, approved, clearings)
    except Invalid as objection:
        _object(work, row, said, objection)
        return
    for clearing_no, clearing in clearings.items():
        clearing.approved_fen, clearing.payable_fen = approved[clearing_no], payable[clearing_no]
        clearing.lost_fen = 0
    decision = _keep(work, row, said)
    row.case_no = said.case_no
    row.approved_fen = said.approved_fen
    if said.outcome == "interim":
        _prepaid(work, row, said)
    else:
        _decided(work, row, said)
        letter.wanted(work, row, decision)
    amendment.follow(work, row, bills)


def _locked_bills(work: Work, row: Claim) -> tuple[dict[str, ClaimBill], dict[str, Compared]]:
    """The claim's rows, and the bills behind them as the insurer was shown them, by clearing number."""
    clearings = {b.clearing_no: b for b in lookup.bills(work.session, row.id) if b.kind == "pay"}
    lock_bills(work, [clearing.bill_id for clearing in clearings.values()])
    return clearings, versions.compare_bills(work, row, list(clearings.values()))


def _decided(work: Work, row: Claim, said: partners.AdjudicatedIn) -> None:
    appealed = outcomes.appeal(work.session, row.id)
    if appealed is not None and appealed.decided_at is None:
        appealed.decided_at = work.now
    accept_by = work.now + rules.ACCEPT_AFTER
    event = "reject" if said.outcome == "rejected" else "approve"
    advance(work, row, event, accept_by=accept_by)
    work.later("claim.silence", row.id, run_at=accept_by)
    tell(work, row, "claim_decided", {"no": row.no}, said.decision_no)
    work.emit("claim.decided", row.id)


def _prepaid(work: Work, row: Claim, said: partners.AdjudicatedIn) -> None:
    """Nobody has to agree to what is certain: it is paid, and the claim goes on waiting for the decision."""
    clocks.stop(work, row, "prepay")
    work.audit("claim.prepaid", "claim", row.id, decision_no=said.decision_no)
    tell(work, row, "claim_prepaid", {"no": row.no}, said.decision_no)
    work.emit("claim.payable", row.id)


def _object(work: Work, row: Claim, said: partners.AdjudicatedIn, objection: Invalid) -> None:
    work.audit("claim.decision_refused", "claim", row.id, code=objection.code)
    refused = {
        "claim_no": row.no,
        "decision_no": said.decision_no,
        "code": objection.code,
        "fields": dict(objection.fields),
    }
    exchange.publish(work, row.insurer_id, "claim.decision_refused", refused)


def _keep(work: Work, row: Claim, said: partners.AdjudicatedIn) -> Decision:
    decision = Decision(
        claim_id=row.id,
        decision_no=said.decision_no,
        supersedes=said.supersedes,
        outcome=said.outcome,
        approved_fen=said.approved_fen,
        decided_at=work.now,
    )
    work.add(decision)
    work.session.flush()
    work.add(
        *(
            DecisionLine(decision_id=decision.id, **line.model_dump(exclude={"reasons"}), cap_fen=line.cap_fen,
                         reasons=[reason.model_dump(exclude_none=True) for reason in line.reasons])
            for line in said.lines
        )
    )  # fmt: skip
    return decision
