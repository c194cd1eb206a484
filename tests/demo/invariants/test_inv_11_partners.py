from __future__ import annotations

from typing import Any

import pytest

from demo.invariants.inv_11_partners import check_partners
from demo.invariants.scene import Scene
from mock_partners.insurer.server import Insurer
from mock_partners.medical_insurance.server import MedicalInsurance
from mock_wechat.server import WeChat
from tests.demo.invariants.kit import Ground, Town, one, scene_of, world_with_hospital

PARTS = {"total_fen": 1000, "fund_fen": 700, "account_fen": 100, "self_pay_fen": 200}
SPLIT = {"total_fen": 1000, "fund_fen": 700, "account_fen": 100, "cash_fen": 200}


@pytest.fixture
def settled(town: Town) -> dict[str, Any]:
    ids = {"hospital_id": town.ids["H1"], "interface_id": town.ids["M1"]}
    return town.ground.add("settlement", **ids, no="st1", status="synchronised", hospital_told=True, **PARTS)


def at_interface(interface: MedicalInsurance, no: str = "st1", state: str = "settled", **split: int) -> None:
    interface.table("settlements").put(no, {"out_setl_no": no, "state": state, "split": SPLIT | split})


def test_a_settlement_that_both_have_is_no_finding(
    ground: Ground, settled: dict[str, Any], interface: MedicalInsurance
) -> None:
    at_interface(interface)
    assert check_partners(scene_of(ground, urls={"M1": interface.url})) == []


def test_settlements_that_only_one_side_has_are_named(
    ground: Ground, settled: dict[str, Any], interface: MedicalInsurance
) -> None:
    scene = scene_of(ground, urls={"M1": interface.url})
    one(check_partners(scene), "settlement st1 is synchronised here, but unknown at M1")
    at_interface(interface)
    at_interface(interface, "st2")
    one(check_partners(scene), "settlement st2 stands at M1, but is unknown here")
    at_interface(interface, "st2", state="reversed")
    ground.run("UPDATE settlement SET status = 'failed'")
    one(check_partners(scene), "settlement st1 stands at M1, but is failed here")


def test_other_parts_at_the_interface_are_named(
    ground: Ground, settled: dict[str, Any], interface: MedicalInsurance
) -> None:
    at_interface(interface, fund_fen=699, cash_fen=201)
    one(check_partners(scene_of(ground, urls={"M1": interface.url})), "its parts at M1 are (699, 100, 201)")


def test_a_settlement_that_was_sent_again_unasked_is_named(
    ground: Ground, settled: dict[str, Any], interface: MedicalInsurance
) -> None:
    at_interface(interface)
    scene = scene_of(ground, urls={"M1": interface.url})
    client = interface.app.test_client()

    def send(infno: str) -> None:
        client.post("/fsi/api", json={"infno": infno, "msgid": infno, "input": {"data": {"out_setl_no": "st1"}}})

    for infno in ("2207", "ZP02", "2207"):
        send(infno)
    assert check_partners(scene) == []
    send("2207")
    one(check_partners(scene), "settlement st1: 2207 was sent to M1 again before it was asked for")


def test_the_hospitals_cashier_is_asked(ground: Ground, settled: dict[str, Any]) -> None:
    ground.open_hospital()
    scene = scene_of(ground, world=world_with_hospital(ground))
    one(check_partners(scene), "settlement st1 is synchronised here, but H1 has not booked it")
    ground.run("INSERT INTO his_h1.sf_jstz (jsbh, jsdh, nr) VALUES ('st1', 'b1', '')")
    assert check_partners(scene) == []
    ground.run("UPDATE settlement SET hospital_told = false")
    one(check_partners(scene), "H1 has booked settlement st1, which we do not know")


@pytest.fixture
def scene(ground: Ground, wechat: WeChat) -> Scene:
    return scene_of(ground, urls={"wechat": wechat.url})


def test_orders_paid_on_one_side_are_named(ground: Ground, scene: Scene, wechat: WeChat) -> None:
    ground.add("payment_order", out_trade_no="po1", status="prepaid", amount_fen=500)
    order = {"out_trade_no": "po1", "state": "SUCCESS", "amount": {"total": 500}, "transaction_id": ""}
    wechat.ground.table("order").put("m:po1", order)
    one(check_partners(scene), "order po1 is paid at WeChat Pay, but prepaid here")
    ground.run("UPDATE payment_order SET status = 'paid'")
    assert check_partners(scene) == []
    wechat.ground.table("order").put("m:po1", {**order, "state": "NOTPAY", "amount": {"total": 501}})
    found = check_partners(scene)
    assert found == [
        "order po1: 501 fen at WeChat Pay, 500 here",
        "order po1 is paid here, but not at WeChat Pay",
    ]


def test_refunds_of_one_side_are_named(ground: Ground, scene: Scene, wechat: WeChat) -> None:
    ground.add("refund", out_refund_no="rf1", status="processing", amount_fen=500)
    refund = {"out_refund_no": "rf1", "status": "SUCCESS", "refund_fen": 500}
    wechat.ground.table("refund").put("m:rf1", refund)
    one(check_partners(scene), "refund rf1 has succeeded at WeChat Pay, but is processing here")
    ground.run("UPDATE refund SET status = 'succeeded'")
    assert check_partners(scene) == []
    wechat.ground.table("refund").put("m:rf1", {**refund, "status": "ABNORMAL"})
    one(check_partners(scene), "refund rf1 has succeeded here, but not at WeChat Pay")


def test_cases_of_an_insurer_are_our_claims(town: Town, insurer: Insurer) -> None:
    scene = scene_of(town.ground, urls={"I1": insurer.url})
    claim = town.claim("CL1", "approved", case_no="I1-1")
    town.decision(claim, {}, "D1")
    case = {"claim_no": "CL1", "case_no": "I1-1", "state": "decided", "decisions": [{"decision_no": "D1"}]}
    insurer.book.cases.put("CL1", case)
    assert check_partners(scene) == []
    insurer.book.cases.put("CL1", {**case, "case_no": "I1-2", "decisions": [*case["decisions"], {"decision_no": "D2"}]})
    insurer.book.cases.put("CL9", {**case, "state": "withdrawn"})
    assert check_partners(scene) == [
        "claim CL1 is case I1-2 at I1, I1-1 here",
        "decision D2 of claim CL1 was made at I1, but is not here",
        "I1 has a case for claim CL9, which we do not know",
    ]


def test_a_withdrawal_that_the_insurer_does_not_know_is_named(town: Town, insurer: Insurer) -> None:
    town.claim("CL1", "withdrawn", case_no="I1-1")
    insurer.book.cases.put("CL1", {"claim_no": "CL1", "case_no": "I1-1", "state": "intake", "decisions": []})
    one(check_partners(scene_of(town.ground, urls={"I1": insurer.url})), "CL1 is withdrawn here, intake at I1")


def test_what_a_partner_could_not_say_is_named(ground: Ground, insurer: Insurer) -> None:
    insurer.sender.post("claim.case_opened", "CL1", {"claim_no": "CL1"})
    one(check_partners(scene_of(ground, urls={"I1": insurer.url})), "(claim.case_opened) is not taken after")
