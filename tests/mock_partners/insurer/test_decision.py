"""From package and policy to lines, outcome and what an appeal changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mock_partners.books import clearing_no
from mock_partners.insurer.decision import Question, decide, line_json, outcome
from mock_partners.insurer.policies import parse
from mock_partners.insurer.rules import Terms, Verdict
from tests.mock_partners.insurer.packages import DAY, bill, line, parts, policy

FIRST, SECOND = clearing_no(DAY, 1), clearing_no(DAY, 2)


def ask(content: dict[str, Any], appealed: set[tuple[str, int]] | None = None, **more: Any) -> list[Verdict]:
    known = parse(policy(ratio="1", **more))
    return decide(Question(known, content, {}, Terms(Decimal("1")), frozenset(appealed or ())))


def approved(verdicts: list[Verdict]) -> list[int]:
    return [verdict.approved_fen for verdict in verdicts]


def test_each_bill_is_judged_by_its_own_visit() -> None:
    content = parts([bill([line(1, 100)]), bill([line(1, 200)], ordinal=2, visit="V2")])
    content["visits"][1]["started_on"] = "2025-12-31"
    verdicts = ask(content)
    assert approved(verdicts) == [100, 0]
    assert [r.code for r in verdicts[1].reasons] == ["outside_cover"]
    assert outcome(verdicts) == "partly"


def test_a_visit_may_name_its_own_hospital_and_time() -> None:
    content = parts([bill([line(1, 100)])])
    content["visits"] = [{"visit_key": "V1", "started_at": "2025-12-31T15:59:59Z", "hospital_code": "H2"}]
    codes = [r.code for r in ask(content, hospitals=["H1"])[0].reasons]
    assert codes == ["outside_cover", "hospital_not_covered"]


@pytest.mark.parametrize(("appealed", "paid"), [(set(), [100, 0, 50]), ({(SECOND, 1)}, [100, 300, 50])])
def test_the_largest_line_of_all_bills_is_doubted_until_appealed(
    appealed: set[tuple[str, int]], paid: list[int]
) -> None:
    content = parts([bill([line(1, 100)]), bill([line(1, 300), line(2, 50)], ordinal=2)])
    verdicts = ask(content, appealed, doubts_largest=True)
    assert approved(verdicts) == paid
    assert line_json(verdicts[1], "1")["appealable"] is not bool(appealed)


def test_an_appeal_against_what_the_contract_excludes_is_upheld() -> None:
    content = parts([bill([line(1, 100, "丙")])])
    reasons = [r.code for r in ask(content, {(FIRST, 1)})[0].reasons]
    assert reasons == ["self_funded", "appeal_upheld"]
    assert [r.code for r in ask(content)[0].reasons] == ["self_funded"]


def test_outcomes() -> None:
    assert outcome(ask(parts([bill([line(1, 100)], fund_fen=40)]))) == "approved"
    assert outcome(ask(parts([bill([line(1, 100), line(2, 1, "丙")])]))) == "partly"
    assert outcome(ask(parts([bill([line(1, 100, "丙")])]))) == "rejected"


def test_a_claim_within_the_deductible_pays_nothing_and_says_why() -> None:
    question = Question(parse(policy()), parts([bill([line(1, 100)])]), {}, Terms(Decimal("1"), deductible_fen=100))
    verdicts = decide(question)
    assert outcome(verdicts) == "rejected"
    assert [r.code for r in verdicts[0].reasons] == ["deductible"]


def test_a_bill_of_nothing_is_no_error() -> None:
    verdicts = ask(parts([bill([line(1, 0)])]))
    assert (approved(verdicts), outcome(verdicts)) == ([0], "rejected")
