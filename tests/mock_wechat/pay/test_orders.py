from __future__ import annotations

import json
from typing import Any

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, code_of, text_of

BASE = {"description": "门诊缴费", "amount": {"total": 12345}}


@pytest.fixture
def openid(user: dict[str, Any], oa: dict[str, Any]) -> str:
    return str(user["openids"][oa["app_id"]])


def order(pay: WeChatPay, openid: str, number: str = "ORDER001", **more: Any) -> tuple[int, Any]:
    return pay.pay(**{**BASE, "out_trade_no": number, "payer": {"openid": openid}, **more})


def test_a_paid_order_is_told_once_signed_and_sealed(pay: WeChatPay, openid: str, api: Api, receiver: Receiver) -> None:
    prepay_id = text_of(order(pay, openid))["prepay_id"]
    assert text_of(pay.query(out_trade_no="ORDER001"))["trade_state"] == "NOTPAY"
    assert api.phone("pay", user="zhang", prepay_id=prepay_id)["errMsg"] == "requestPayment:ok"
    (_, headers, body) = receiver.wait()[0]
    told = pay.callback(headers, body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"] == text_of(pay.query(out_trade_no="ORDER001"))
    assert told["resource"]["amount"]["total"] == 12345
    assert text_of(pay.query(transaction_id=told["resource"]["transaction_id"]))["trade_state"] == "SUCCESS"
    assert len(receiver.got) == 1


def test_the_same_number_is_the_same_order_or_refused(pay: WeChatPay, openid: str, api: Api) -> None:
    first = text_of(order(pay, openid))["prepay_id"]
    second = text_of(order(pay, openid))["prepay_id"]
    assert first != second
    assert code_of(order(pay, openid, amount={"total": 1})) == (403, "OUT_TRADE_NO_USED")
    api.phone("pay", user="zhang", prepay_id=second)
    assert api.phone("pay", user="zhang", prepay_id=first)["code"] == "order_finished"
    assert code_of(order(pay, openid)) == (400, "INVALID_REQUEST")


def test_closing_answers_an_empty_signed_204_and_ends_the_order(pay: WeChatPay, openid: str, api: Api) -> None:
    prepay_id = text_of(order(pay, openid))["prepay_id"]
    assert pay.close("ORDER001")[0] == 204
    assert text_of(pay.query(out_trade_no="ORDER001"))["trade_state"] == "CLOSED"
    assert api.phone("pay", user="zhang", prepay_id=prepay_id)["code"] == "order_finished"
    assert code_of(order(pay, openid)) == (400, "ORDER_CLOSED")
    assert code_of(pay.close("ORDER404")) == (404, "ORDER_NOT_EXIST")


def test_a_paid_order_cannot_be_closed(pay: WeChatPay, openid: str, api: Api) -> None:
    api.phone("pay", user="zhang", prepay_id=text_of(order(pay, openid))["prepay_id"])
    assert code_of(pay.close("ORDER001")) == (400, "INVALID_REQUEST")
    assert text_of(pay.query(out_trade_no="ORDER001"))["trade_state"] == "SUCCESS"


def test_time_ends_prepay_ids_and_orders(pay: WeChatPay, openid: str, api: Api, wechat: WeChat) -> None:
    prepay_id = text_of(order(pay, openid))["prepay_id"]
    wechat.clock.advance(2 * 3600 + 1)
    assert api.phone("pay", user="zhang", prepay_id=prepay_id)["code"] == "prepay_expired"
    assert text_of(pay.query(out_trade_no="ORDER001"))["trade_state"] == "NOTPAY"
    wechat.clock.advance(7 * 86400)
    assert text_of(pay.query(out_trade_no="ORDER001"))["trade_state"] == "CLOSED"


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"number": "short"}, "PARAM_ERROR", "/out_trade_no"),
        ({"amount": {"total": "12"}}, "PARAM_ERROR", "/amount/total"),
        ({"amount": {"total": 0}}, "PARAM_ERROR", "/amount/total"),
        ({"description": "长" * 128}, "PARAM_ERROR", "/description"),
        ({"notify_url": "https://a.example/x?y=1"}, "PARAM_ERROR", "/notify_url"),
        ({"payer": {"openid": "o-of-nobody"}}, "PARAM_ERROR", "/payer/openid"),
        ({"appid": "wx0000000000000000"}, "APPID_MCHID_NOT_MATCH", None),
    ],
)
def test_a_wrong_field_is_named(pay: WeChatPay, openid: str, more: dict[str, Any], code: str, field: str) -> None:
    status, text = order(pay, openid, **more)
    body = json.loads(text)
    assert (status, body["code"], body.get("detail", {}).get("field")) == (400, code, field)


def test_a_strict_double_demands_https(pay: WeChatPay, openid: str, wechat: WeChat) -> None:
    wechat.settings.lenient_notify_url = False
    assert code_of(order(pay, openid)) == (400, "PARAM_ERROR")
