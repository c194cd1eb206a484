"""What the insurer says: a case number, a decision for every line. What the patient answers: agreed, or appealed."""

from __future__ import annotations

from uuid import UUID

from app.claim import contracts as c
from app.claim import queries, rules
from app.claim.models import Appeal, Claim, ClaimBill, Decision, DecisionLine
from app.claim.states import DECIDABLE
from app.claim.steps import advance, get, left_to_claim, lock_bills, mine, of_insurer, require_not_early, tell
from app.core.errors import Conflict, Invalid, LostRace
from app.core.work import Work
from app.exchange import service as exchange
from app.record import queries as record


def case_opened(work: Work, insurer_id: UUID, said: c.CaseOpenedIn) -> None:
    row = of_insurer(work, insurer_id, said.claim_no)
    row.case_no = row.case_no or said.case_no


def adjudicated(work: Work, insurer_id: UUID, said: c.AdjudicatedIn) -> None:
    """A decision: every line adds up, no bill is paid beyond what the patient bore, and a late one changes nothing.

    1. The same decision again is dropped; one for a claim that is not waiting for it (late) too.
    2. It is checked under the bills' locks. One that does not hold changes nothing, and the insurer is told why.
    3. Decision, lines, clearing rows, state and notice in one transaction.
    """
    row = of_insurer(work, insurer_id, said.claim_no)
    if queries.decision(work.session, row.id, said.decision_no) is not None:
        return
    if row.status not in DECIDABLE:
        require_not_early(row)
        return
    clearings = {b.clearing_no: b for b in queries.bills(work.session, row.id) if b.kind == "pay"}
    lock_bills(work, [clearing.bill_id for clearing in clearings.values()])
    try:
        approved = _checked(work, row, said, clearings)
    except Invalid as objection:
        _object(work, row, said, objection.code)
        return
    for clearing_no, amount_fen in approved.items():
        clearings[clearing_no].approved_fen = amount_fen
    _keep(work, row, said)
    appealed = queries.appeal(work.session, row.id)
    if appealed is not None:
        appealed.decided_at = work.now
    row.case_no = row.case_no or said.case_no
    row.approved_fen = said.approved_fen
    accept_by = work.now + rules.ACCEPT_AFTER
    event = "reject" if said.outcome == "rejected" else "approve"
    advance(work, row, event, accept_by=accept_by, clock_paused_since=None)
    work.later("claim.silence", row.id, run_at=accept_by)
    tell(work, row, "claim_decided", {"no": row.no}, said.decision_no)
    work.emit("claim.decided", row.id)


def _checked(work: Work, row: Claim, said: c.AdjudicatedIn, clearings: dict[str, ClaimBill]) -> dict[str, int]:
    """Approved fen by clearing number. Invalid with the first thing that does not hold."""
    latest = queries.latest_decision(work.session, row.id)
    if latest is not None and said.supersedes != latest.decision_no:
        raise Invalid("not_superseding", "该决定没有取代上一个决定")
    _check_lines(work, said, clearings)
    sums = dict.fromkeys(clearings, 0)
    for line in said.lines:
        sums[line.clearing_no] += line.approved_fen
    if sum(sums.values()) != said.approved_fen or (said.outcome == "rejected") != (said.approved_fen == 0):
        raise Invalid("decision_does_not_add_up", "核赔金额与明细之和不符")
    for clearing_no, amount_fen in sums.items():
        clearing = clearings[clearing_no]
        if not 0 <= amount_fen <= left_to_claim(work, clearing.bill_id, clearing.borne_fen, but=row.id):
            raise Invalid("over_approved", "核赔金额超过个人负担的余额")
    return sums


def _check_lines(work: Work, said: c.AdjudicatedIn, clearings: dict[str, ClaimBill]) -> None:
    """Each line is a fee line of the claim, billed as the hospital billed it, named once, and adds up."""
    numbers = {clearing.bill_id: clearing_no for clearing_no, clearing in clearings.items()}
    billed = {
        (numbers[line.bill_id], line.line_no): line.amount_fen for line in record.lines(work.session, list(numbers))
    }
    for line in said.lines:
        if billed.pop((line.clearing_no, line.line_no), None) != line.billed_fen:
            raise Invalid("line_unknown", "核赔明细不属于该理赔，或与费用明细不符")
        if not rules.line_adds_up(
            billed_fen=line.billed_fen,
            covered_fen=line.covered_fen,
            deductible_fen=line.deductible_fen,
            approved_fen=line.approved_fen,
        ):
            raise Invalid("line_does_not_add_up", "核赔明细金额不合理")


def _object(work: Work, row: Claim, said: c.AdjudicatedIn, code: str) -> None:
    work.audit("claim.decision_refused", "claim", row.id, code=code)
    refused = {"claim_no": row.no, "decision_no": said.decision_no, "code": code}
    exchange.publish(work, row.insurer_id, "claim.decision_refused", refused)


def _keep(work: Work, row: Claim, said: c.AdjudicatedIn) -> None:
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
            DecisionLine(decision_id=decision.id, **line.model_dump(exclude={"reasons"}),
                         reasons=[reason.model_dump() for reason in line.reasons])
            for line in said.lines
        )
    )  # fmt: skip


def accept(work: Work, account_id: UUID, claim_id: UUID) -> Claim:
    """The patient accepts: what was approved becomes payable."""
    row = mine(work, account_id, claim_id)
    if not _accept(work, row):
        raise LostRace("claim", "accept", [row.id])
    return row


def silence(work: Work, claim_id: UUID) -> None:
    """Nobody objected in time: an approved claim is accepted, a rejected one closed."""
    row = get(work, claim_id)
    if row.accept_by is not None and row.accept_by <= work.now and not _accept(work, row):
        advance(work, row, "give_up")


def _accept(work: Work, row: Claim) -> bool:
    if not advance(work, row, "accept"):
        return False
    work.later("claim.tell_acceptance", row.id)
    work.emit("claim.payable", row.id)
    return True


def appeal(work: Work, account_id: UUID, claim_id: UUID, wanted: c.AppealIn) -> Claim:
    """Object to one line or to all, once."""
    row = mine(work, account_id, claim_id)
    decision = queries.latest_decision(work.session, row.id)
    if decision is None:
        raise Conflict("not_decided", "还没有核赔结果，不能申诉")
    if queries.appeal(work.session, row.id) is not None:
        raise Conflict("appealed_before", "每个理赔只能申诉一次")
    known = {(line.clearing_no, line.line_no) for line in queries.decision_lines(work.session, decision.id)}
    if not {(line.clearing_no, line.line_no) for line in wanted.lines} <= known:
        raise Invalid("line_unknown", "没有找到要申诉的费用明细")
    if not advance(work, row, "appeal", accept_by=None):
        raise LostRace("claim", "appeal", [row.id])
    work.add(Appeal(claim_id=row.id, lines=[line.model_dump() for line in wanted.lines], reason=wanted.reason))
    work.later("claim.tell_appeal", row.id)
    return row


def appeal_to_tell(work: Work, claim_id: UUID) -> dict[str, object]:
    appeal = queries.appeal(work.session, claim_id)
    assert appeal is not None
    return {"lines": appeal.lines, "reason": appeal.reason}
