from __future__ import annotations

import json

import pytest
from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, until


def ids(receiver: Receiver) -> set[str]:
    return {json.loads(body)["id"] for _, _, body in receiver.got}


def test_an_untaken_notification_comes_again_under_the_same_id(
    wechat: WeChat, prepay_id: str, receiver: Receiver, pay: WeChatPay
) -> None:
    receiver.answers = [(500, '{"code":"FAIL"}'), (302, ""), (204, "")]
    wechat.cashier.pay("zhang", prepay_id)
    got = receiver.wait(3)
    assert len(ids(receiver)) == 1
    assert len({headers["Wechatpay-Nonce"] for _, headers, _ in got}) == 3
    assert all(pay.callback(headers, body) for _, headers, body in got)
    until(lambda: wechat.memory.load("push")["000000001"]["state"] == "taken")


def test_the_ladder_ends(wechat: WeChat, prepay_id: str, receiver: Receiver) -> None:
    wechat.settings.notify_ladder_s = [0, 0]
    receiver.answers = [(500, "")] * 9
    wechat.cashier.pay("zhang", prepay_id)
    until(lambda: wechat.memory.load("push")["000000001"]["state"] == "given_up")
    assert len(receiver.got) == 3


def test_the_pauses_are_those_of_the_virtual_clock(wechat: WeChat, prepay_id: str, receiver: Receiver) -> None:
    wechat.settings.ladder_factor = 1.0
    receiver.answers = [(500, "")]
    wechat.cashier.pay("zhang", prepay_id)
    until(lambda: wechat.memory.load("push")["000000001"]["tries"] == 1)
    wechat.clock.advance(15)
    receiver.wait(2)


def test_copies_are_duplicates(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    api.post("/__mock__/push_faults", {"contains": "TRANSACTION", "copies": 3})
    wechat.cashier.pay("zhang", prepay_id)
    receiver.wait(3)
    assert len(ids(receiver)) == 1


def test_a_kept_push_can_be_repeated_at_will(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    wechat.cashier.pay("zhang", prepay_id)
    until(lambda: wechat.memory.load("push")["000000001"]["state"] == "taken")
    assert api.post("/__mock__/pushes/000000001/repeat", {})["status"] == 200
    assert len(receiver.got) == 2


def test_a_lost_one_comes_later(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    api.post("/__mock__/push_faults", {"lose": True})
    wechat.cashier.pay("zhang", prepay_id)
    receiver.wait(1)
    statuses = until(lambda: [e["status"] for e in wechat.journal if e["method"] == "PUSH"][:2])
    assert statuses[0] == 0


def test_a_late_one_waits(wechat: WeChat, prepay_id: str, receiver: Receiver, api: Api) -> None:
    api.post("/__mock__/push_faults", {"delay_s": 3600})
    wechat.cashier.pay("zhang", prepay_id)
    wechat.clock.advance(3000)
    with pytest.raises(AssertionError):
        receiver.wait(1, within_s=0.4)
    wechat.clock.advance(601)
    receiver.wait(1)
