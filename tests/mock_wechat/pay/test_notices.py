from __future__ import annotations

import json
from typing import Any

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, text_of, until


@pytest.fixture
def prepay_id(pay: WeChatPay, user: dict[str, Any], oa: dict[str, Any]) -> str:
    payer = {"openid": user["openids"][oa["app_id"]]}
    order = pay.pay(description="x", out_trade_no="ORDER001", amount={"total": 100}, payer=payer)
    return str(text_of(order)["prepay_id"])


def ids(receiver: Receiver) -> set[str]:
    return {json.loads(body)["id"] for _, _, body in receiver.got}


def test_an_untaken_notification_comes_again_under_the_same_id(
    wechat: WeChat, prepay_id: str, receiver: Receiver, pay: WeChatPay
) -> None:
    receiver.answers = [(500, '{"code":"FAIL"}'), (302, ""), (204, "")]
    wechat.orders.pay("zhang", prepay_id)
    got = receiver.wait(3)
    assert len(ids(receiver)) == 1
    assert len({headers["Wechatpay-Nonce"] for _, headers, _ in got}) == 3
    assert all(pay.callback(headers, body) for _, headers, body in got)
    until(lambda: wechat.memory.load("push")["000000001"]["state"] == "taken")


def test_the_ladder_ends(wechat: WeChat, prepay_id: str, receiver: Receiver) -> None:
    wechat.settings.notify_ladder_s = [0, 0]
    receiver.answers = [(500, "")] * 9
    wechat.orders.pay("zhang", prepay_id)
    until(lambda: wechat.memory.load("push")["000000001"]["state"] == "given_up")
    assert len(receiver.got) == 3


def test_the_pauses_are_those_of_the_virtual_clock(wechat: WeChat, prepay_id: str, receiver: Receiver) -> None:
    wechat.settings.ladder_factor = 1.0
    receiver.answers = [(500, "")]
    wechat.orders.pay("zhang", prepay_id)
    until(lambda: wechat.memory.load("push")["000000001"]["tries"] == 1)
    wechat.clock.advance(15)
    receiver.wait(2)


def test_copies_are_duplicates(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    api.post("/__mock__/push_faults", {"contains": "TRANSACTION", "copies": 3})
    wechat.orders.pay("zhang", prepay_id)
    receiver.wait(3)
    assert len(ids(receiver)) == 1


def test_a_kept_push_can_be_repeated_at_will(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    wechat.orders.pay("zhang", prepay_id)
    until(lambda: wechat.memory.load("push")["000000001"]["state"] == "taken")
    assert api.post("/__mock__/pushes/000000001/repeat", {})["status"] == 200
    assert len(receiver.got) == 2


def test_a_lost_one_comes_later(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    api.post("/__mock__/push_faults", {"lose": True})
    wechat.orders.pay("zhang", prepay_id)
    receiver.wait(1)
    statuses = until(lambda: [e["status"] for e in wechat.journal if e["method"] == "PUSH"][:2])
    assert statuses[0] == 0


def test_a_late_one_waits(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    api.post("/__mock__/push_faults", {"delay_s": 3600})
    wechat.orders.pay("zhang", prepay_id)
    wechat.clock.advance(3000)
    with pytest.raises(AssertionError):
        receiver.wait(1, within_s=0.4)
    wechat.clock.advance(601)
    receiver.wait(1)


@pytest.mark.parametrize("signature", ["wrong", "signtest"])
def test_a_bad_signature_is_not_verifiable(
    wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api, pay: WeChatPay, signature: str
) -> None:
    api.post("/__mock__/push_faults", {"signature": signature})
    receiver.answers = [(401, "")]
    wechat.orders.pay("zhang", prepay_id)
    got = receiver.wait(2)
    assert pay.callback(*got[0][1:]) is None
    assert pay.callback(*got[1][1:])["event_type"] == "TRANSACTION.SUCCESS"


def test_an_unknown_serial_names_no_key_of_ours(
    wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api, merchant: dict[str, Any]
) -> None:
    api.post("/__mock__/push_faults", {"signature": "unknown_serial"})
    wechat.orders.pay("zhang", prepay_id)
    assert receiver.wait()[0][1]["Wechatpay-Serial"] != merchant["wechat_public_key_id"]


def test_the_associated_data_is_a_setting(wechat: WeChat, prepay_id: str, receiver: Receiver, pay: WeChatPay) -> None:
    wechat.settings.associated_data = {"transaction": ""}
    wechat.orders.pay("zhang", prepay_id)
    (_, headers, body) = receiver.wait()[0]
    assert json.loads(body)["resource"]["associated_data"] == ""
    assert pay.callback(headers, body)["resource"]["out_trade_no"] == "ORDER001"
    assert headers["User-Agent"] == "Mozilla/4.0"
