"""From a package and a policy to a decision: which lines are declined, then the arithmetic, then the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mock_partners.insurer.policies import Policy, day_of, reasons_against_line, reasons_against_visit
from mock_partners.insurer.reasons import of
from mock_partners.insurer.rules import Bill, Line, Terms, Verdict, adjudicate

LineKey = tuple[str, int]
Parts = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """What is to be decided: the package's parts, what other policies left, and the lines that an appeal names."""

    policy: Policy
    parts: Parts
    remainders: Mapping[str, int]
    terms: Terms
    appealed: frozenset[LineKey] = frozenset()


def decide(question: Question) -> list[Verdict]:
    bills = tuple(_bill(question, bill) for bill in question.parts["bills"])
    verdicts = adjudicate(_doubt(question, bills), question.terms)
    for verdict in verdicts:
        if (verdict.clearing_no, verdict.line_no) in question.appealed and _declined(verdict):
            verdict.reasons.append(of("appeal_upheld"))
    return verdicts


def outcome(verdicts: list[Verdict]) -> str:
    """`rejected` if nothing is paid, `partly` if a line was declined or cut, else `approved`."""
    if sum(verdict.approved_fen for verdict in verdicts) == 0:
        return "rejected"
    return "partly" if any(_declined(verdict) for verdict in verdicts) else "approved"


def line_json(verdict: Verdict, ratio: str) -> dict[str, Any]:
    return {
        **vars(verdict),
        "ratio": ratio,
        "reasons": [reason.as_json() for reason in verdict.reasons],
        "appealable": any(reason.code == "medical_necessity" for reason in verdict.reasons),
    }


def _declined(verdict: Verdict) -> bool:
    return any(reason.refuses for reason in verdict.reasons)


def _bill(question: Question, bill: Mapping[str, Any]) -> Bill:
    visit = next(v for v in question.parts["visits"] if v["visit_key"] == bill["visit_key"])
    hospital = visit.get("hospital_code") or question.parts["hospital"].get("code", "")
    diagnoses = [d.get("code", "") for d in question.parts["diagnoses"] if d.get("visit_key") == bill["visit_key"]]
    day = day_of(visit.get("started_on"), visit.get("started_at"), bill.get("billed_on"))
    against_visit = reasons_against_visit(question.policy, hospital, day, diagnoses)
    lines = []
    for line in bill["lines"]:
        declines = [*against_visit, *reasons_against_line(question.policy, line)]
        doubtful = str(line.get("code") or "").startswith(question.policy.doubtful_codes)
        if doubtful and (bill["clearing_no"], line["line_no"]) not in question.appealed:
            declines.append(of("medical_necessity"))
        lines.append(Line(line["line_no"], line["amount_fen"], tuple(declines)))
    borne_fen = sum(line.billed_fen for line in lines) - bill["fund_fen"]
    return Bill(bill["clearing_no"], borne_fen, tuple(lines), question.remainders.get(bill["clearing_no"]))


def _doubt(question: Question, bills: tuple[Bill, ...]) -> tuple[Bill, ...]:
    """Decline the largest line that would be covered, if the policy doubts it and no appeal names it."""
    if not question.policy.doubts_largest:
        return bills
    lines = [(line.billed_fen, -b, -i) for b, bill in enumerate(bills) for i, line in enumerate(bill.lines)
             if not line.declines]  # fmt: skip
    if not lines:
        return bills
    _, b, i = max(lines)
    bill = bills[-b]
    line = bill.lines[-i]
    if (bill.clearing_no, line.line_no) in question.appealed:
        return bills
    doubted = replace(line, declines=(of("medical_necessity"),))
    changed = replace(bill, lines=tuple(doubted if other is line else other for other in bill.lines))
    return tuple(changed if other is bill else other for other in bills)
