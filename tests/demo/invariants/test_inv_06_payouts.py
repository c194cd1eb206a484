from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from demo.invariants.inv_06_payouts import BANK_OPENING_FEN, check
from demo.invariants.scene import Scene
from mock_partners.bank import Bank
from mock_partners.insurer.server import Insurer
from mock_wechat.pay.accounts import Movement
from mock_wechat.server import WeChat
from tests.demo.invariants.kit import WORLD, Ground, Town, clearing_no, one, scene_of

MCHID, ACCOUNT = "1900000001", WORLD["insurers"][0]["bank_account"]
Pay = Callable[..., dict[str, Any]]


@pytest.fixture
def pay(town: Town) -> Pay:
    """A payout of a claim that was approved 1,000 fen, with its books; the second call pays the same claim again."""
    claim = town.claim("CL1", "paid", approved_fen=1000)
    town.clearing(claim, town.bill(), 1, approved_fen=1000, payable_fen=1000)
    town.decision(claim, {clearing_no(1): 1000})

    def pay(out_no: str = "tf1", status: str = "succeeded", amount_fen: int = 1000, **values: Any) -> dict[str, Any]:
        usual = {"channel": "wechat", "approvals_needed": 0, "claim_no": "CL1", "insurer_id": town.ids["I1"]}
        row = town.ground.add(
            "payout", claim_id=claim["id"], out_no=out_no, status=status, amount_fen=amount_fen, held_for=[],
            **(usual | values),
        )  # fmt: skip
        if status not in ("failed", "returned"):
            book(town, "approve", row["id"], amount_fen)
        if status == "succeeded":
            town.ground.run("UPDATE claim SET paid_fen = paid_fen + %s", amount_fen)
            book(town, "pay", row["id"], amount_fen, row["channel"])
        return row

    return pay


SIDES = {"approve": ("expense", "payable"), "recover": ("receivable", "expense"), "repay": ("collected", "receivable")}


def book(town: Town, kind: str, reference: object, amount_fen: int, channel: str = "") -> None:
    transaction = town.ground.add("ledger_transaction", kind=kind, reference=reference)
    debit, credit = SIDES.get(kind, ("payable", channel))
    for account, signed_fen in ((debit, amount_fen), (credit, -amount_fen)):
        found = town.ground.run("SELECT id FROM ledger_account WHERE kind = %s", account)
        owner = {"party_id": town.ids["I1"], "kind": account}
        account_id = (found[0] if found else town.ground.add("ledger_account", **owner))["id"]
        town.ground.add("ledger_entry", transaction_id=transaction["id"], account_id=account_id, amount_fen=signed_fen)


def test_what_was_approved_was_paid_once(town: Town, pay: Pay) -> None:
    pay("tf0", "failed")
    pay("tf1")
    assert check(scene_of(town.ground)) == []


def test_more_than_was_approved_is_named(town: Town, pay: Pay) -> None:
    pay("tf1")
    pay("tf2", "waiting_user_confirm", 1)
    one(check(scene_of(town.ground)), "claim CL1: 1001 fen paid or on the way, 1000 payable")


def test_more_payable_than_was_approved_is_named(town: Town) -> None:
    claim = town.claim("CL1", "paid", approved_fen=1000)
    town.ground.loosen("claim_bill")
    town.clearing(claim, town.bill(), 1, approved_fen=1000, payable_fen=1001)
    town.decision(claim, {clearing_no(1): 1000})
    town.ground.add("payout", claim_id=claim["id"], out_no="tf0", status="failed", amount_fen=1, claim_no="CL1",
                    insurer_id=town.ids["I1"], channel="bank", held_for=[])  # fmt: skip
    one(check(scene_of(town.ground)), "claim CL1: 1001 fen payable, 1000 approved")


def test_a_bill_that_was_taken_back_is_recovered_in_state_and_in_books(town: Town, pay: Pay) -> None:
    row = pay("tf1")
    recovery = town.recovery({"id": row["claim_id"]}, "open", 1000)
    book(town, "recover", recovery["id"], 1000)
    assert check(scene_of(town.ground)) == []
    town.ground.run("UPDATE recovery SET status = 'repaid'")
    found = check(scene_of(town.ground))
    assert any("1000 fen booked as receivable, its recoveries say 0" in finding for finding in found)
    assert any("0 fen booked as collected, its recoveries say 1000" in finding for finding in found)


def test_what_was_paid_for_a_bill_taken_back_and_is_not_recovered_is_named(town: Town, pay: Pay) -> None:
    row = pay("tf1")
    town.recovery({"id": row["claim_id"]}, "void", 0)
    one(check(scene_of(town.ground)), "claim CL1: 1000 fen paid or on the way, 0 payable, 0 to be recovered")


def test_a_payout_that_was_never_booked_as_approved_is_named(town: Town, pay: Pay) -> None:
    row = pay("tf1")
    entries = "(SELECT id FROM ledger_transaction WHERE kind = 'approve')"
    town.ground.run(f"DELETE FROM ledger_entry WHERE transaction_id IN {entries}")  # noqa: S608
    town.ground.run("DELETE FROM ledger_transaction WHERE kind = 'approve'")
    one(check(scene_of(town.ground)), "claim CL1: 0 fen booked as approved, 1000 paid")
    book(town, "approve", row["id"], 1001)
    one(check(scene_of(town.ground)), "claim CL1: 1001 fen booked as approved, 1000 paid")


def test_a_recovery_in_the_books_that_nobody_knows_is_named(town: Town, pay: Pay) -> None:
    pay("tf1")
    book(town, "recover", uuid4(), 300)
    one(check(scene_of(town.ground)), "ledger transaction recover", "about nothing that exists")


def test_two_payouts_that_can_move_are_named(town: Town, pay: Pay) -> None:
    town.ground.loosen("payout")
    pay("tf1", "unknown", 500)
    pay("tf2", "held", 500)
    one(check(scene_of(town.ground)), "claim CL1: 2 payouts can move money")


def test_a_held_payout_that_one_person_let_go_is_named(town: Town, pay: Pay) -> None:
    row = pay("tf1", "accepted", approvals_needed=2)
    town.ground.add("payout_approval", payout_id=row["id"], operator_id=uuid4())
    one(check(scene_of(town.ground)), "tf1: sent with 1 of 2 approvals")


def test_a_ledger_that_does_not_add_up_is_named(town: Town, pay: Pay) -> None:
    pay("tf1")
    town.ground.run("UPDATE ledger_entry SET amount_fen = amount_fen + 1 WHERE amount_fen > 0")
    found = check(scene_of(town.ground))
    assert any("2 entries add up to 1" in finding for finding in found)
    assert any("payout tf1 is succeeded over 1000 fen, but the ledger has 1 pay" in finding for finding in found)


def test_a_balance_without_its_payout_is_named(town: Town, pay: Pay) -> None:
    pay("tf1")
    book(town, "pay", uuid4(), 300, "wechat")
    found = check(scene_of(town.ground))
    assert any("about nothing that exists" in finding for finding in found)
    assert any("ledger account I1/wechat: -1300 fen, should be -1000" in finding for finding in found)


@pytest.fixture
def scene(ground: Ground, wechat: WeChat, bank: Bank, insurer: Insurer, wechat_world: dict[str, Any]) -> Scene:
    insurer.book.cases.put("CL1", {"claim_no": "CL1", "payouts": {}, "decisions": []})
    urls = {"wechat": wechat.url, "B1": bank.url, "I1": insurer.url}
    return scene_of(ground, world={**WORLD, "wechat": wechat_world}, urls=urls)


def transfer(wechat: WeChat, out_no: str, amount_fen: int = 1000, state: str = "SUCCESS", mchid: str = MCHID) -> None:
    """WeChat Pay executed a transfer, and the merchant's balance fell."""
    row = {"mchid": mchid, "out_bill_no": out_no, "state": state, "wanted": {"transfer_amount": amount_fen}}
    wechat.ground.table("transfer").put(f"{mchid}:{out_no}", row)
    if state == "SUCCESS":
        wechat.accounts.move(Movement(mchid, "OPERATION", "商家转账", -amount_fen, "wechat's number", out_no))


def told(insurer: Insurer, **payouts: tuple[int, str]) -> None:
    said = {no: {"amount_fen": amount_fen, "status": status} for no, (amount_fen, status) in payouts.items()}
    insurer.book.cases.put("CL1", {"claim_no": "CL1", "payouts": said, "decisions": []})


def test_each_payout_is_one_transfer(pay: Pay, scene: Scene, wechat: WeChat, insurer: Insurer) -> None:
    pay("tf1")
    transfer(wechat, "tf1")
    told(insurer, tf1=(1000, "succeeded"))
    assert check(scene) == []


def test_money_that_moved_without_a_payout_is_named(scene: Scene, wechat: WeChat) -> None:
    transfer(wechat, "tf9", 300)
    found = check(scene)
    assert any("transfer tf9 was executed, but no payout has this number" in finding for finding in found)
    assert any("merchant balance of I1 fell by 300 fen, 0 were paid out" in finding for finding in found)


def test_a_number_that_was_executed_twice_is_named(
    pay: Pay, scene: Scene, wechat: WeChat, bank: Bank, insurer: Insurer
) -> None:
    pay("tf1")
    transfer(wechat, "tf1")
    at_bank = {"out_no": "tf1", "from_account": ACCOUNT, "amount_fen": 1000, "status": "succeeded"}
    bank.table("transfers").put("tf1", at_bank)
    told(insurer, tf1=(1000, "succeeded"))
    one(check(scene), "payout tf1: executed 2 times")


def test_another_amount_and_a_failure_that_was_paid_are_named(pay: Pay, scene: Scene, wechat: WeChat) -> None:
    pay("tf1", "failed")
    transfer(wechat, "tf1", 999)
    found = check(scene)
    assert any("1000 fen from I1, the provider has 999 fen from I1" in finding for finding in found)
    assert any("tf1 is failed here, but the money has moved" in finding for finding in found)


def test_a_success_that_never_was_is_named(pay: Pay, scene: Scene, insurer: Insurer) -> None:
    pay("tf1")
    told(insurer, tf1=(1000, "succeeded"))
    found = check(scene)
    assert any("tf1 is succeeded here, but was never executed" in finding for finding in found)
    assert any("fell by 0 fen, 1000 were paid out" in finding for finding in found)


def test_a_return_of_the_banks_is_ours_too(town: Town, pay: Pay, scene: Scene, bank: Bank, insurer: Insurer) -> None:
    row = pay("tf1", "returned", channel="bank")
    book(town, "pay", row["id"], 1000, "bank")
    book(town, "return", row["id"], -1000, "bank")
    at_bank = {"out_no": "tf1", "from_account": ACCOUNT, "amount_fen": 1000, "status": "succeeded"}
    bank.table("transfers").put("tf1", at_bank)
    bank.table("returns").put("tf1", {"at": ""})
    told(insurer, tf1=(1000, "returned"))
    assert check(scene) == []
    town.ground.run("UPDATE payout SET status = 'accepted'")
    assert any("tf1 is accepted here, returned at the provider" in finding for finding in check(scene))


def test_a_bank_account_that_fell_by_more_is_named(scene: Scene, bank: Bank) -> None:
    bank.table("accounts").put(ACCOUNT, {"balance_fen": BANK_OPENING_FEN - 7})
    one(check(scene), "bank account of I1 fell by 7 fen, 0 were paid out")


def test_an_insurer_that_was_not_told_is_named(pay: Pay, scene: Scene, wechat: WeChat) -> None:
    pay("tf1")
    transfer(wechat, "tf1")
    one(check(scene), "payout tf1 is succeeded here, I1 was told None")
