"""What an insurer answers in the S200 dialect, in our words.

The dialect decides bills and not lines, and explains each with a text. What it pays for a bill is spread over its fee
lines by what each was billed; every line carries the insurer's own explanation, and says that its amount is a share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from hashlib import sha256
from typing import Any

from app.core.clock import SHANGHAI
from app.core.errors import PartnerFault
from app.core.money import fen_from_yuan, share_out
from app.gateways.insurer.s200.upload import QUICK
from app.gateways.insurer.speaking import News

IN_REVIEW, DOCUMENTS_NEEDED, CANCELLED = ("0", "1"), "2", "6"
OUTCOMES = {"3": "approved", "4": "partly", "5": "rejected"}
LONGEST_TEXT = 500
LAST_MOMENT = time(23, 59, 59)
Lines = Sequence[Sequence[int]]


def policies(answer: Mapping[str, Any], question: Mapping[str, Any]) -> dict[str, Any]:
    """S200 → {"insured", "policies"}. Deductible and ratio are not in the dialect: None. ValueError, LookupError or
    TypeError where the answer is not of the dialect."""
    days = [date.fromisoformat(bill["started_on"]) for bill in question["bills"]]
    days = days or [date.fromisoformat(question["on"])]
    found = [_policy(policy, days) for insurer in answer["insurers"] for policy in insurer["policies"]]
    return {"insured": bool(found), "policies": found}


def _policy(policy: Mapping[str, Any], days: Sequence[date]) -> dict[str, Any]:
    valid_from, valid_to = (date.fromisoformat(policy[name]) for name in ("startDate", "endDate"))
    left_fen = fen_from_yuan(policy["residualAmount"])
    reasons = []
    if not any(valid_from <= day <= valid_to for day in days):
        reasons.append(_reason("outside_cover", "就诊日期不在保险期间内"))
    if left_fen <= 0:
        reasons.append(_reason("ceiling", "保单的剩余保额为零"))
    if QUICK not in policy["indemnitySigns"]:
        reasons.append(_reason("way_not_offered", "该保单不支持快赔（先付后赔）"))
    return {
        "policy_no": policy["policyNo"],
        "product_name": policy["productName"],
        "product_filing_no": None,
        "valid_from": valid_from.isoformat(),
        "valid_to": valid_to.isoformat(),
        "in_scope": not reasons,
        "deductible_left_fen": None,
        "ratio": None,
        "ceiling_left_fen": max(0, left_fen),
        "reasons": reasons,
    }


def news(answer: Mapping[str, Any], case: Mapping[str, Any]) -> list[News]:
    """S300 → nothing while the case is looked at, the request for documents, or the decision.

    PartnerFault `case_cancelled` where the insurer has ended the case by itself: a person has to look. Another status
    is ValueError, as is whatever else is not of the dialect.
    """
    status = answer["caseStatus"]
    if status in IN_REVIEW:
        return []
    if status == DOCUMENTS_NEEDED:
        return [_request(answer, case)]
    if status == CANCELLED:
        raise PartnerFault("insurer", "case_cancelled", permanent=True)
    if status not in OUTCOMES:
        raise ValueError("not a case status")
    return [_decision(answer, case)]


def _request(answer: Mapping[str, Any], case: Mapping[str, Any]) -> News:
    """The dialect numbers no requests: the same list of materials is the same request."""
    items = [{"kind": one["kind"], "text": one["name"]} for one in answer["materials"]]
    number = f"{answer['caseNo']}-R{_digest(items)}"
    until = answer.get("materialsUntil")
    deadline = datetime.combine(date.fromisoformat(until), LAST_MOMENT, SHANGHAI).isoformat() if until else None
    data = {"claim_no": case["claim_no"], "request_no": number, "items": items, "deadline": deadline}
    return News("claim.documents_requested", number, data)


def _decision(answer: Mapping[str, Any], case: Mapping[str, Any]) -> News:
    """The dialect numbers no decisions: the same amounts are the same decision, others supersede the one in force."""
    paid = [(visit["businessId"], fen_from_yuan(visit["commercialPay"])) for visit in answer["visits"]]
    final_fen = fen_from_yuan(answer["finalAmount"])
    number, supersedes = _numbers(answer["caseNo"], [answer["caseStatus"], final_fen, sorted(paid)], case["decision"])
    lines = [line for visit in answer["visits"] for line in _lines(visit, case["lines"][visit["businessId"]])]
    data = {
        "claim_no": case["claim_no"],
        "case_no": answer["caseNo"],
        "decision_no": number,
        "supersedes": supersedes,
        "outcome": OUTCOMES[answer["caseStatus"]],
        "lines": lines,
        "approved_fen": final_fen,
    }
    return News("claim.adjudicated", number, data)


def _numbers(case_no: str, said: list[Any], standing: Mapping[str, str | None] | None) -> tuple[str, str | None]:
    """(The decision's number, that of the one it supersedes). Said again, it keeps the number that it has; what returns
    to an earlier one's amounts is a decision of its own."""
    if standing is None:
        return f"{case_no}-D{_digest(said)}", None
    before = standing["supersedes"]
    number = f"{case_no}-D{_digest([*said, before] if before else said)}"
    if number == standing["decision_no"]:
        return number, before
    return f"{case_no}-D{_digest([*said, standing['decision_no']])}", standing["decision_no"]


def _lines(visit: Mapping[str, Any], billed: Lines) -> list[dict[str, Any]]:
    """What is billed and not paid is not covered here: how far deductible and ratio went into it, the dialect says in
    its text only. A returned item takes no share."""
    paid_fen = fen_from_yuan(visit["commercialPay"])
    reasons = _reasons(visit)
    shares = share_out(paid_fen, [max(0, amount_fen) for _, amount_fen in billed])
    return [
        {
            "clearing_no": visit["businessId"],
            "line_no": line_no,
            "billed_fen": billed_fen,
            "covered_fen": share_fen,
            "deductible_fen": 0,
            "ratio": "1",
            "approved_fen": share_fen,
            "reasons": reasons,
        }
        for (line_no, billed_fen), share_fen in zip(billed, shares, strict=True)
    ]


def _reasons(visit: Mapping[str, Any]) -> list[dict[str, str]]:
    paid, fund, personal = (visit[name] for name in ("commercialPay", "fundPay", "personalPay"))
    told = [
        _reason("explanation", visit["calculation"]),
        _reason("not_immediate", visit.get("notImmediateReason") or ""),
        _reason(
            "of_the_bill",
            f"整张结算单：商保赔付 {paid} 元，基金支付 {fund} 元，个人承担 {personal} 元；本项为按金额分摊",
        ),
        _reason("residual", f"保单累计赔付 {visit['accumulatedAmount']} 元，剩余保额 {visit['residualAmount']} 元"),
    ]
    return [reason for reason in told if reason["text"]]


def _reason(code: str, text: str) -> dict[str, str]:
    return {"code": code, "text": text[:LONGEST_TEXT]}


def _digest(value: Any) -> str:
    return sha256(repr(value).encode()).hexdigest()[:12]
