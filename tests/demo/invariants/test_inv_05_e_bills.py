from __future__ import annotations

from typing import Any

import pytest

from demo.invariants.inv_05_e_bills import check
from tests.demo.invariants.kit import Ground, Town, one, scene_of, world_with_hospital


@pytest.fixture
def bill(town: Town) -> dict[str, Any]:
    bill = town.bill()
    e_bill = {"code": "0440", "number": "0001", "state": "issued"}
    town.ground.add("e_bill", hospital_id=town.ids["H1"], bill_id=bill["id"], **e_bill)
    return bill


def claim(
    town: Town, bill: dict[str, Any], ordinal: int, status: str = "adjudicating", **values: Any
) -> dict[str, Any]:
    made = town.claim(f"CL{ordinal}", status, **values)
    town.clearing(made, bill, ordinal, live=status not in ("withdrawn", "ineligible"))
    return made


def test_one_claim_for_each_policy_is_no_finding(town: Town, bill: dict[str, Any]) -> None:
    claim(town, bill, 1)
    claim(town, bill, 2, policy_no="P2")
    claim(town, bill, 3, "withdrawn")
    assert check(scene_of(town.ground)) == []


def test_two_claims_under_one_policy_are_named(town: Town, bill: dict[str, Any]) -> None:
    claim(town, bill, 1, "paid")
    claim(town, bill, 2)
    one(check(scene_of(town.ground)), "e-bill 0440/0001 is in CL1, CL2 under policy P1 of I1")


def test_an_e_bill_of_two_bills_is_named(town: Town, bill: dict[str, Any]) -> None:
    other = town.bill("b2")
    town.ground.loosen("e_bill")
    town.ground.add(
        "e_bill", hospital_id=town.ids["H1"], bill_id=other["id"], code="0440", number="0001", state="issued"
    )
    one(check(scene_of(town.ground)), "e-bill 0440/0001 belongs to H1 b1, H1 b2")


def test_an_e_bill_that_is_claimed_with_two_bills_is_named(town: Town, bill: dict[str, Any]) -> None:
    other = town.bill("b2")
    claims = [claim(town, bill, 1), claim(town, other, 2, policy_no="P2")]
    for policy_no, made in zip(("P1", "P2"), claims, strict=True):
        guard = {"code": "0440", "number": "0001", "policy_no": policy_no, "claim_id": made["id"]}
        town.ground.add("e_bill_guard", insurer_id=town.ids["I1"], bill_id=bill["id"], **guard)
    assert check(scene_of(town.ground)) == [], "one bill, two policies"
    town.ground.run("UPDATE e_bill_guard SET bill_id = %s WHERE policy_no = 'P2'", other["id"])
    one(check(scene_of(town.ground)), "e-bill 0440/0001 is claimed with H1 b1, H1 b2")


def test_a_reversed_e_bill_in_a_live_claim_is_named(ground: Ground, town: Town, bill: dict[str, Any]) -> None:
    claim(town, bill, 1)
    ground.run("UPDATE e_bill SET state = 'reversed'")
    one(check(scene_of(ground)), "e-bill 0440/0001 is reversed and in CL1")


def test_what_was_paid_before_the_reversal_is_a_recovery(ground: Ground, town: Town, bill: dict[str, Any]) -> None:
    paid = claim(town, bill, 1, "paid")
    ground.run("UPDATE e_bill SET state = 'reversed'")
    one(check(scene_of(ground)), "e-bill 0440/0001 is reversed and in CL1")
    town.recovery(paid, "open", 1000)
    assert check(scene_of(ground)) == []
    ground.run("UPDATE claim_bill SET live = true")
    assert any("is live in CL1" in finding for finding in check(scene_of(ground)))


def test_a_bill_that_was_amended_stays_in_its_claim(ground: Ground, town: Town, bill: dict[str, Any]) -> None:
    town.recovery(claim(town, bill, 1, "paid"), "open", 1000)
    ground.run("UPDATE recovery SET reason = 'bill_amended'")
    assert any("is not live in CL1" in finding for finding in check(scene_of(ground)))
    ground.run("UPDATE claim_bill SET live = true")
    assert check(scene_of(ground)) == []


def test_a_reversal_that_only_the_hospital_knows_is_named(ground: Ground, town: Town, bill: dict[str, Any]) -> None:
    claim(town, bill, 1)
    ground.open_hospital()
    ground.run(
        "INSERT INTO his_h1.sf_dzpj (pjid, jsdh, brid, pjdm, pjhm, jym, kjrq, zt, hz)"
        " VALUES ('e1', 'b1', 'p1', '0440', '0001', '', now(), '2', '')"
    )
    one(check(scene_of(ground, world=world_with_hospital(ground))), "reversed at H1, not here, and in CL1")


def test_an_ended_claim_that_holds_its_e_bill_is_named(ground: Ground, town: Town, bill: dict[str, Any]) -> None:
    ended = claim(town, bill, 1, "withdrawn")
    ground.add("e_bill_guard", code="0440", number="0001", policy_no="P1", claim_id=ended["id"])
    one(check(scene_of(ground)), "held by CL1, which is withdrawn")


def test_a_clearing_row_that_lives_on_is_named(ground: Ground, town: Town, bill: dict[str, Any]) -> None:
    claim(town, bill, 1, "withdrawn")
    ground.run("UPDATE claim_bill SET live = true")
    one(check(scene_of(ground)), "is live in CL1, which is withdrawn")
