from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, text_of
from tests.mock_wechat.pay.test_orders import order


@pytest.fixture
def openid(user: dict[str, Any], oa: dict[str, Any]) -> str:
    return str(user["openids"][oa["app_id"]])


def test_the_phone_checks_what_the_page_signed(pay: WeChatPay, openid: str, api: Api, oa: dict[str, Any]) -> None:
    package = "prepay_id=" + text_of(order(pay, openid))["prepay_id"]
    signed = {"appId": oa["app_id"], "timeStamp": "1700000000", "nonceStr": "n", "package": package, "signType": "RSA"}
    good = pay.sign([oa["app_id"], "1700000000", "n", package])
    assert api.phone("pay", user="zhang", params={**signed, "paySign": good[:-8] + "AAAAAAA="})["code"] == "sign_error"
    assert api.phone("pay", user="zhang", params={**signed, "paySign": good})["errMsg"] == "requestPayment:ok"


def test_only_the_payer_pays_and_only_with_money(pay: WeChatPay, openid: str, api: Api, wechat: WeChat) -> None:
    wechat.people.add({"user": "li", "name": "李四", "phone": "13800000002"})
    prepay_id = text_of(order(pay, openid))["prepay_id"]
    assert api.phone("pay", user="li", prepay_id=prepay_id)["code"] == "wrong_user"
    wechat.people.add({"user": "zhang", "balance_fen": 12344})
    assert api.phone("pay", user="zhang", prepay_id=prepay_id)["code"] == "not_enough"
    assert api.phone("cancel", user="zhang", prepay_id=prepay_id)["errMsg"] == "requestPayment:fail cancel"
    wechat.people.add({"user": "zhang", "balance_fen": 12346})
    api.phone("pay", user="zhang", prepay_id=prepay_id)
    assert wechat.people.get("zhang")["balance_fen"] == 1


def test_of_many_thumbs_at_once_one_pays(pay: WeChatPay, openid: str, api: Api, wechat: WeChat) -> None:
    prepay_id = text_of(order(pay, openid))["prepay_id"]
    with ThreadPoolExecutor(4) as thumbs:
        answers = list(thumbs.map(lambda _: api.phone("pay", user="zhang", prepay_id=prepay_id), range(4)))
    assert sorted(answer.get("code", "ok") for answer in answers) == ["ok"] + ["order_finished"] * 3
    assert [e["fen"] for e in wechat.memory.load("entry").values() if e["kind"] == "交易"] == [12345]
