"""Why a decision of the insurer's does not hold: each function raises Invalid with the first thing that is wrong."""

from __future__ import annotations

from collections.abc import Mapping

from app.claim import arithmetic, rules
from app.claim.contracts import partners
from app.claim.e_bills import left_fen
from app.claim.models.claims import Claim, ClaimBill
from app.claim.models.decisions import Decision
from app.claim.queries import outcomes
from app.claim.shown import Compared
from app.claim.states import DECIDABLE, UNDECIDED
from app.claim.steps import not_open, require_same_case
from app.core.errors import Invalid
from app.core.work import Work


def require_open(row: Claim, said: partners.AdjudicatedIn, known: Decision | None) -> None:
    if row.status not in DECIDABLE:
        raise not_open(row)
    if known is not None:
        raise Invalid("decision_no_reused", "同一决定编号已用于另一个结论", fields={"decision_no": "reused"})
    require_same_case(row, said.case_no)


def approved_fen(
    work: Work,
    row: Claim,
    said: partners.AdjudicatedIn,
    clearings: dict[str, ClaimBill],
    bills: Mapping[str, Compared],
) -> dict[str, int]:
    """By clearing number."""
    latest = outcomes.latest_decision(work.session, row.id)
    if latest is not None and said.supersedes != latest.decision_no:
        raise Invalid("not_superseding", "该决定没有取代上一个决定")
    if said.outcome == "interim" and row.status not in UNDECIDED:
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


def payable_fen(
    said: partners.AdjudicatedIn, approved: dict[str, int], clearings: dict[str, ClaimBill]
) -> dict[str, int]:
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
