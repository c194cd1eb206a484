"""What the insurer says: a case number, a decision for every line; or, while it still examines, for some of them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from app.claim import amendment, arithmetic, clocks, letter, rules, versions
from app.claim.contracts import partners
from app.claim.e_bills import left_fen
from app.claim.models.claims import Claim, ClaimBill
from app.claim.models.decisions import Decision, DecisionLine
from app.claim.queries import lookup, outcomes
from app.claim.shown import Compared
from app.claim.states import DECIDABLE, State
from app.claim.steps import advance, lock_bills, of_insurer, require_not_early, tell
from app.core.errors import Invalid
from app.core.work import Work
from app.exchange import service as exchange


def case_opened(work: Work, insurer_id: UUID, said: partners.CaseOpenedIn) -> None:
    row = of_insurer(work, insurer_id, said.claim_no)
    row.case_no = row.case_no or said.case_no


def adjudicated(work: Work, insurer_id: UUID, said: partners.AdjudicatedIn) -> None:
    """A decision: every line adds up, no bill is paid beyond what the patient bore, and a late one changes nothing.

    1. The same decision again is dropped; one for a claim that is not waiting for it (late) too.
    2. It is checked under the bills' locks. One that does not hold changes nothing, and the insurer is told why.
    3. Decision, lines, clearing rows, state and notice in one transaction.
    4. It speaks of the bills as they were shown; what the hospital has amended since is followed at once.
    """
    row = of_insurer(work, insurer_id, said.claim_no)
    if outcomes.decision(work.session, row.id, said.decision_no) is not None:
        return
    if row.status not in DECIDABLE:
        require_not_early(row)
        return
    clearings = {b.clearing_no: b for b in lookup.bills(work.session, row.id) if b.kind == "pay"}
    lock_bills(work, [clearing.bill_id for clearing in clearings.values()])
    bills = versions.compare_bills(work, row, list(clearings.values()))
    try:
        approved = _checked(work, row, said, clearings, bills)
        payable = _payable(said, approved, clearings)
    except Invalid as objection:
        _object(work, row, said, objection)
        return
    for clearing_no, clearing in clearings.items():
        clearing.approved_fen, clearing.payable_fen = approved[clearing_no], payable[clearing_no]
        clearing.lost_fen = 0
    decision = _keep(work, row, said)
    row.case_no = row.case_no or said.case_no
    row.approved_fen = said.approved_fen
    if said.outcome == "interim":
        _prepaid(work, row, said)
    else:
        _decided(work, row, said)
        letter.wanted(work, row, decision)
    amendment.follow(work, row, bills)


def _decided(work: Work, row: Claim, said: partners.AdjudicatedIn) -> None:
    appealed = outcomes.appeal(work.session, row.id)
    if appealed is not None:
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


def _checked(
    work: Work,
    row: Claim,
    said: partners.AdjudicatedIn,
    clearings: dict[str, ClaimBill],
    bills: Mapping[str, Compared],
) -> dict[str, int]:
    """Approved fen by clearing number. Invalid with the first thing that does not hold."""
    latest = outcomes.latest_decision(work.session, row.id)
    if latest is not None and said.supersedes != latest.decision_no:
        raise Invalid("not_superseding", "该决定没有取代上一个决定")
    if said.outcome == "interim" and row.status == State.APPEALED:
        raise Invalid("interim_too_late", "已有核赔结果，不能再先予支付部分明细")
    _check_lines(said, bills)
    sums = dict.fromkeys(clearings, 0)
    for line in said.lines:
        sums[line.clearing_no] += line.approved_fen
    if sum(sums.values()) != said.approved_fen or (said.outcome == "rejected") != (said.approved_fen == 0):
        raise Invalid("decision_does_not_add_up", "核赔金额与明细之和不符")
    for clearing_no, amount_fen in sums.items():
        clearing = clearings[clearing_no]
        if amount_fen and not clearing.live:
            raise Invalid("bill_taken_back", "医院已退费或红冲，不能再赔付", fields={clearing_no: "approved_fen = 0"})
        if not 0 <= amount_fen <= left_fen(work, clearing.bill_id, clearing.borne_fen, but=row.id):
            raise Invalid("over_approved", "核赔金额超过个人负担的余额")
    return sums


def _check_lines(said: partners.AdjudicatedIn, bills: Mapping[str, Compared]) -> None:
    """Each line is a fee line of the claim, billed as the insurer was shown it, named once, and adds up; a decision
    that is not interim names them all."""
    billed = {(number, line.line_no): line.amount_fen for number, bill in bills.items() for line in bill.shown.lines}
    for line in said.lines:
        if billed.pop((line.clearing_no, line.line_no), None) != line.billed_fen:
            raise Invalid("line_unknown", "核赔明细不属于该理赔，或与费用明细不符")
    if said.outcome != "interim" and billed:
        missing = {f"{clearing_no}/{line_no}": "missing" for clearing_no, line_no in sorted(billed)[:20]}
        raise Invalid("line_missing", "核赔结果缺少费用明细", fields=missing)
    names = arithmetic.Line.__dataclass_fields__
    fault = arithmetic.fault([arithmetic.Line(**{name: getattr(line, name) for name in names}) for line in said.lines])
    if fault is not None:
        raise Invalid(fault.code, "核赔明细金额不合理", fields={fault.place: fault.why})


def _payable(said: partners.AdjudicatedIn, approved: dict[str, int], clearings: dict[str, ClaimBill]) -> dict[str, int]:
    """What may be paid of it before the patient has agreed: what is certain, and was before."""
    if said.outcome == "interim":
        certain = approved
        before_fen = sum(clearing.payable_fen for clearing in clearings.values())
        kept = certain if sum(certain.values()) >= before_fen else None
    else:
        kept = rules.carry_over({no: clearing.payable_fen for no, clearing in clearings.items()}, approved)
    if kept is None:
        raise Invalid("below_payable", "核赔金额低于已经应付的无争议部分")
    return kept


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
