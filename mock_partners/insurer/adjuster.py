"""The adjuster: takes the cases that wait, asks for documents once, decides, and tells the platform."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mock_partners.insurer import decision
from mock_partners.insurer.casebook import Case, Casebook
from mock_partners.insurer.policies import Policy
from mock_partners.insurer.rules import Verdict

SUPPLEMENT_DAYS = 30


def think(book: Casebook, claim_no: str) -> None:
    """Take the next step of a case that waits; the platform is told before the case is marked, so none stays untold."""
    with book.double.lock:
        case = book.cases[claim_no]
        if case["state"] not in ("intake", "appealed"):
            return
        policy = book.policy(case["policy_no"])
        if policy.documents_asked and not case["documents_request_no"]:
            _ask(book, case, policy)
        else:
            _decide(book, case, policy)


def _ask(book: Casebook, case: Case, policy: Policy) -> None:
    deadline = book.double.clock.now() + timedelta(days=SUPPLEMENT_DAYS)
    case.update(state="documents", documents_request_no=f"{case['case_no']}-R1")
    message = {
        "claim_no": case["claim_no"],
        "request_no": case["documents_request_no"],
        "items": [dict(item) for item in policy.documents_asked],
        "deadline": deadline.isoformat(timespec="seconds"),
    }
    book.sender.post("claim.documents_requested", case["claim_no"], message)
    book.save(case)


def _decide(book: Casebook, case: Case, policy: Policy) -> None:
    appealed = frozenset((number, line_no) for number, line_no in case["appealed"] or ())
    question = decision.Question(
        policy,
        book.packages[case["claim_no"]],
        case["remainders"],
        book.left(policy, but=case["claim_no"]),
        appealed,
    )
    made = _decision(case, decision.decide(question), str(policy.ratio))
    case["decisions"].append(made)
    case["state"] = "decided"
    book.sender.post("claim.adjudicated", case["claim_no"], made)
    book.save(case)


def _decision(case: Case, verdicts: list[Verdict], ratio: str) -> dict[str, Any]:
    before = case["decisions"][-1]["decision_no"] if case["decisions"] else None
    made = {
        "claim_no": case["claim_no"],
        "case_no": case["case_no"],
        "decision_no": f"{case['case_no']}-D{len(case['decisions']) + 1}",
        "outcome": decision.outcome(verdicts),
        "lines": [decision.line_json(verdict, ratio) for verdict in verdicts],
        "approved_fen": sum(verdict.approved_fen for verdict in verdicts),
        "appealable": case["appealed"] is None,
    }
    return {**made, "supersedes": before} if before else made
