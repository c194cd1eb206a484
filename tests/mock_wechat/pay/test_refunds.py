from __future__ import annotations

from typing import Any

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, code_of, text_of, until


@pytest.fixture
def paid(pay: WeChatPay, wechat: WeChat, user: dict[str, Any], oa: dict[str, Any], receiver: Receiver) -> str:
    """The transaction id of a paid order over 100.00 yuan whose own notification has arrived."""
    payer = {"openid": user["openids"][oa["app_id"]]}
    order = text_of(pay.pay(description="x", out_trade_no="ORDER001", amount={"total": 10_000}, payer=payer))
    transaction = str(wechat.cashier.pay("zhang", order["prepay_id"])["transaction_id"])
    receiver.wait()
    receiver.got.clear()
    return transaction


def refund(pay: WeChatPay, number: str, fen: int, total: int = 10_000, **more: Any) -> tuple[int, Any]:
    amount = {"refund": fen, "total": total, "currency": "CNY"}
    return pay.refund(out_refund_no=number, amount=amount, **{"out_trade_no": "ORDER001", **more})


def test_a_refund_is_finished_and_told(pay: WeChatPay, paid: str, receiver: Receiver) -> None:
    answer = text_of(refund(pay, "R1", 4_000, notify_url=receiver.url + "/refunds", reason="退号"))
    assert (answer["status"], answer["amount"]["refund"]) == ("SUCCESS", 4_000)
    (_, headers, body) = receiver.wait()[0]
    told = pay.callback(headers, body)
    assert (told["event_type"], told["resource"]["refund_status"]) == ("REFUND.SUCCESS", "SUCCESS")
    assert told["resource"]["amount"]["refund"] == 4_000
    assert text_of(pay.query_refund("R1"))["refund_id"] == told["resource"]["refund_id"]
    assert text_of(pay.query(out_trade_no="ORDER001"))["trade_state"] == "REFUND"


def test_the_same_number_refunds_once(pay: WeChatPay, paid: str, wechat: WeChat) -> None:
    first, second = text_of(refund(pay, "R1", 4_000)), text_of(refund(pay, "R1", 4_000))
    assert first == second
    assert code_of(refund(pay, "R1", 3_000)) == (400, "INVALID_REQUEST")
    moved = [e for e in wechat.memory.load("entry").values() if e["kind"] == "退款"]
    assert [e["fen"] for e in moved] == [-4_000]


def test_parts_add_up_to_the_order_and_no_further(pay: WeChatPay, paid: str) -> None:
    text_of(refund(pay, "R1", 4_000))
    text_of(refund(pay, "R2", 6_000, out_trade_no=None, transaction_id=paid))
    assert code_of(refund(pay, "R3", 1)) == (400, "INVALID_REQUEST")
    assert code_of(refund(pay, "R4", 1, total=9_999)) == (400, "PARAM_ERROR")


def test_refusals(pay: WeChatPay, paid: str, wechat: WeChat, api: Api, merchant: dict[str, Any]) -> None:
    assert code_of(refund(pay, "R1", 1, out_trade_no="ORDER404")) == (404, "RESOURCE_NOT_EXISTS")
    assert code_of(pay.query_refund("R404")) == (404, "RESOURCE_NOT_EXISTS")
    api.post(f"/__mock__/merchants/{merchant['mchid']}/top_up", {"account": "BASIC", "fen": -1_009_000})
    assert code_of(refund(pay, "R1", 10_000)) == (403, "NOT_ENOUGH")
    wechat.settings.refund_gap_s = 60
    text_of(refund(pay, "R2", 100))
    assert code_of(refund(pay, "R3", 100)) == (429, "FREQUENCY_LIMITED")
    wechat.clock.advance(61)
    text_of(refund(pay, "R3", 100))
    wechat.clock.advance(366 * 86400)
    assert code_of(refund(pay, "R4", 100)) == (403, "RULE_LIMIT")


def test_an_abnormal_refund_is_told_and_can_be_applied_for(
    pay: WeChatPay, paid: str, api: Api, receiver: Receiver
) -> None:
    api.post("/__mock__/outcomes", {"out_no": "R1", "status": "ABNORMAL"})
    answer = text_of(refund(pay, "R1", 4_000, notify_url=receiver.url + "/refunds"))
    assert answer["status"] == "ABNORMAL"
    assert pay.callback(*receiver.wait()[0][1:])["event_type"] == "REFUND.ABNORMAL"
    again = pay.abnormal_refund(answer["refund_id"], "R1", "MERCHANT_BANK_CARD")
    assert text_of(again)["status"] == "PROCESSING"
    until(lambda: text_of(pay.query_refund("R1"))["status"] == "SUCCESS")


def test_a_slow_refund_is_processing_first(pay: WeChatPay, paid: str, wechat: WeChat) -> None:
    wechat.settings.refund_takes_s = 3600
    assert text_of(refund(pay, "R1", 4_000))["status"] == "PROCESSING"
    wechat.clock.advance(3601)
    until(lambda: text_of(pay.query_refund("R1"))["status"] == "SUCCESS")


def test_the_notification_can_come_before_the_answer(pay: WeChatPay, paid: str, api: Api, receiver: Receiver) -> None:
    api.post("/__mock__/push_faults", {"contains": "REFUND", "before_answer": True})
    text_of(refund(pay, "R1", 4_000, notify_url=receiver.url + "/refunds"))
    assert len(receiver.got) == 1
