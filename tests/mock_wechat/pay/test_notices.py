from __future__ import annotations

import json
from typing import Any

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver


@pytest.mark.parametrize("signature", ["wrong", "signtest"])
def test_a_bad_signature_is_not_verifiable(
    wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api, pay: WeChatPay, signature: str
) -> None:
    api.post("/__mock__/push_faults", {"signature": signature})
    receiver.answers = [(401, "")]
    wechat.cashier.pay("zhang", prepay_id)
    got = receiver.wait(2)
    assert pay.callback(*got[0][1:]) is None
    assert pay.callback(*got[1][1:])["event_type"] == "TRANSACTION.SUCCESS"


def test_an_unknown_serial_names_no_key_of_ours(
    wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api, merchant: dict[str, Any]
) -> None:
    api.post("/__mock__/push_faults", {"signature": "unknown_serial"})
    wechat.cashier.pay("zhang", prepay_id)
    assert receiver.wait()[0][1]["Wechatpay-Serial"] != merchant["wechat_public_key_id"]


def test_the_associated_data_is_a_setting(wechat: WeChat, prepay_id: str, receiver: Receiver, pay: WeChatPay) -> None:
    wechat.settings.associated_data = {"transaction": ""}
    wechat.cashier.pay("zhang", prepay_id)
    (_, headers, body) = receiver.wait()[0]
    assert json.loads(body)["resource"]["associated_data"] == ""
    assert pay.callback(headers, body)["resource"]["out_trade_no"] == "ORDER001"
    assert headers["User-Agent"] == "Mozilla/4.0"
