from __future__ import annotations

from typing import Any

import pytest

from demo.invariants.inv_04_bills import check
from mock_partners.insurer.server import Insurer
from tests.demo.invariants.kit import Town, clearing_no, one, scene_of

FIRST, SECOND = clearing_no(1), clearing_no(2)


def decided(town: Town, bill: dict[str, Any], ordinal: int, approved_fen: int) -> dict[str, Any]:
    """A live claim of the bill with a decision."""
    claim = town.claim(f"CL{ordinal}", "approved")
    town.clearing(claim, bill, ordinal, approved_fen=approved_fen)
    town.decision(claim, {clearing_no(ordinal): approved_fen}, f"D{ordinal}")
    return claim


def test_bills_that_balance_and_bills_refused_for_the_right_reason_are_no_findings(town: Town) -> None:
    town.bill("whole", lines=(1000, 500, -200))
    town.bill("parts", self_pay_fen=999, refused_reason="parts_do_not_add_up")
    town.bill("lines", total_fen=1001, self_pay_fen=1001, refused_reason="lines_do_not_add_up")
    town.bill("open", self_pay_fen=0, state="unsettled")
    assert check(scene_of(town.ground)) == []


@pytest.mark.parametrize(
    ("values", "right"),
    [
        ({"self_pay_fen": 999}, "parts_do_not_add_up"),
        ({"total_fen": 1001, "self_pay_fen": 1001}, "lines_do_not_add_up"),
        ({"refused_reason": "line_amount_wrong"}, "None"),
    ],
)
def test_a_wrong_verdict_on_a_bill_is_named(town: Town, values: dict[str, Any], right: str) -> None:
    town.bill("b1", **values)
    one(check(scene_of(town.ground)), "bill H1/b1", f"should be {right}")


def test_a_line_that_is_not_price_times_quantity_is_named(town: Town) -> None:
    town.bill("b1")
    town.ground.run("UPDATE fee_line SET unit_price = 10.02")
    one(check(scene_of(town.ground)), "should be line_amount_wrong")


def test_a_line_of_another_hospital_is_named(town: Town) -> None:
    town.bill("b1")
    town.ground.run("UPDATE fee_line SET hospital_id = gen_random_uuid()")
    one(check(scene_of(town.ground)), "bill H1/b1: a line of it is another hospital's")


def test_more_than_the_patient_bore_is_named(town: Town) -> None:
    bill = town.bill("b1", fund_fen=300, self_pay_fen=700)
    decided(town, bill, 1, 400)
    decided(town, bill, 2, 300)
    assert check(scene_of(town.ground)) == []
    decided(town, bill, 3, 1)
    one(check(scene_of(town.ground)), "bill H1/b1: 701 fen approved", "700 borne")


def test_an_approval_without_its_decision_is_named(town: Town) -> None:
    claim = decided(town, town.bill(), 1, 400)
    town.ground.run("UPDATE claim_bill SET approved_fen = 500")
    one(check(scene_of(town.ground)), FIRST, "approved 500 fen, decided 400")
    town.ground.run("UPDATE claim_bill SET approved_fen = 400")
    town.ground.run("UPDATE decision SET approved_fen = 401 WHERE claim_id = %s", claim["id"])
    one(check(scene_of(town.ground)), "decision D1 of CL1", "approved 401 fen, its lines 400")


def test_what_was_paid_for_a_bill_taken_back_counts_until_it_came_back(town: Town) -> None:
    bill = town.bill("b1")
    claim = decided(town, bill, 1, 700)
    town.recovery(claim, "open", 700)
    decided(town, bill, 2, 300)
    assert check(scene_of(town.ground)) == []
    town.ground.run("UPDATE recovery SET due_fen = 701, share_fen = 701, lost_fen = 701")
    one(check(scene_of(town.ground)), "bill H1/b1: 1001 fen approved", "1000 borne")
    town.ground.run("UPDATE recovery SET status = 'repaid'")
    assert check(scene_of(town.ground)) == []


def test_more_payable_than_decided_is_named(town: Town) -> None:
    decided(town, town.bill(), 1, 400)
    town.ground.loosen("claim_bill")
    town.ground.run("UPDATE claim_bill SET payable_fen = 401")
    one(check(scene_of(town.ground)), FIRST, "401 fen payable, decided 400")


def amended(town: Town, bill: dict[str, Any], *amounts: int) -> None:
    """The hospital's newer version of a bill."""
    for number, amount_fen in enumerate(amounts, 1):
        town.ground.run(
            "UPDATE fee_line SET amount_fen = %s, unit_price = %s WHERE bill_id = %s AND line_no = %s",
            amount_fen, amount_fen / 100, bill["id"], number,
        )  # fmt: skip
    money = "total_fen = %s, self_pay_fen = %s, lines_fen = %s"
    town.ground.run(f"UPDATE bill SET {money} WHERE id = %s", *[sum(amounts)] * 3, bill["id"])  # noqa: S608


def test_a_bill_that_carries_less_than_is_kept_of_its_decision_is_named(town: Town, insurer: Insurer) -> None:
    bill = town.bill(lines=(1000, 500))
    claim = decided(town, bill, 1, 1000)
    decision = town.ground.run("SELECT id FROM decision WHERE claim_id = %s", claim["id"])[0]["id"]
    second = {"decision_id": decision, "clearing_no": FIRST, "line_no": 2, "billed_fen": 500, "covered_fen": 0}
    town.ground.add("decision_line", **second, ratio=1, approved_fen=0)
    insurer.book.ledger.book([{"clearing_no": FIRST, "lines": [{"amount_fen": 1500}], "fund_fen": 0}], "CL1", "")
    lines = [{"clearing_no": FIRST, "approved_fen": 1000}]
    insurer.book.cases.put("CL1", {"claim_no": "CL1", "decisions": [{"lines": lines}]})
    scene = scene_of(town.ground, urls={"I1": insurer.url})
    amended(town, bill, 1000, 100)
    assert check(scene) == [], "what was declined may go"
    amended(town, bill, 700, 500)
    one(check(scene), FIRST, "keeps 1000 fen, its bill carries 700")
    town.ground.run("UPDATE claim_bill SET lost_fen = 300")
    assert check(scene) == []
    town.ground.loosen("claim_bill")
    town.ground.run("UPDATE claim_bill SET payable_fen = 701")
    one(check(scene), FIRST, "701 fen payable, decided 1000, lost 300")


def test_a_row_that_is_neither_its_bills_nor_the_insurers_is_named(town: Town, insurer: Insurer) -> None:
    bill = town.bill(lines=(1000,))
    town.clearing(town.claim(), bill, 1)
    insurer.book.ledger.book([{"clearing_no": FIRST, "lines": [{"amount_fen": 1000}], "fund_fen": 0}], "CL1", "")
    scene = scene_of(town.ground, urls={"I1": insurer.url})
    amended(town, bill, 900)
    assert check(scene) == []
    town.ground.run("UPDATE claim_bill SET borne_fen = 950")
    one(check(scene), FIRST, "borne 950 fen, its bill 900")


@pytest.mark.parametrize(
    "wrong",
    [
        "ratio = 0.9",
        "cap_fen = 1",
        "covered_fen = 399",
        "deductible_fen = 1",
        "billed_fen = 399",
        "covered_fen = 300, billed_fen = 300, cap_fen = -100",
    ],
)
def test_a_decision_a_fen_beside_its_ratio_is_named(town: Town, wrong: str) -> None:
    decided(town, town.bill(), 1, 400)
    assert check(scene_of(town.ground)) == []
    town.ground.run(f"UPDATE decision_line SET {wrong}")  # noqa: S608
    one(check(scene_of(town.ground)), "decision D1 of CL1, lines [1]", FIRST)


def test_a_decision_that_rounds_once_for_the_bill_adds_up(town: Town) -> None:
    claim = decided(town, town.bill(lines=(500, 500)), 1, 2)
    town.ground.run("UPDATE decision_line SET billed_fen = 3, covered_fen = 3, ratio = 0.5")
    town.ground.run("UPDATE decision SET approved_fen = 3")
    town.ground.run("UPDATE claim_bill SET approved_fen = 3")
    decision = town.ground.run("SELECT id FROM decision WHERE claim_id = %s", claim["id"])[0]["id"]
    second = {"decision_id": decision, "clearing_no": FIRST, "line_no": 2, "billed_fen": 3, "covered_fen": 3}
    town.ground.add("decision_line", **second, ratio=0.5, approved_fen=1)
    assert check(scene_of(town.ground)) == []
    town.ground.run("UPDATE decision_line SET approved_fen = 1")
    found = check(scene_of(town.ground))
    assert any("2 fen before caps, covered less deductible by the ratio is 3" in finding for finding in found)


def test_the_insurers_own_decision_counts(town: Town, insurer: Insurer) -> None:
    decided(town, town.bill(), 1, 400)
    lines = [{"clearing_no": FIRST, "approved_fen": 400}]
    insurer.book.cases.put("CL1", {"claim_no": "CL1", "decisions": [{"lines": lines}]})
    scene = scene_of(town.ground, urls={"I1": insurer.url})
    assert check(scene) == []
    insurer.book.cases.put("CL1", {"claim_no": "CL1", "decisions": [{"lines": [{**lines[0], "approved_fen": 399}]}]})
    one(check(scene), FIRST, "approved 400 fen here, 399 at I1")
