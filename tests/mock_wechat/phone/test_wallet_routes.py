from __future__ import annotations

from typing import Any

from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, text_of
from tests.mock_wechat.pay.test_transfers import bill


def test_the_phone_lists_what_it_can_take(
    pay: WeChatPay, api: Api, user: dict[str, Any], oa: dict[str, Any], wechat: WeChat
) -> None:
    wechat.people.add({"user": "zhang", "balance_fen": 0})
    text_of(bill(pay, user["openids"][oa["app_id"]]))
    (shown,) = api.phone("transfers", user="zhang")
    assert (shown["state"], shown["transfer_amount"]) == ("WAIT_USER_CONFIRM", 5_000)
    api.phone("confirm_transfer", user="zhang", package_info=shown["package_info"])
    assert wechat.people.get("zhang")["balance_fen"] == 5_000


def test_a_payment_is_in_the_inbox_and_opens_the_chat(
    pay: WeChatPay, api: Api, user: dict[str, Any], oa: dict[str, Any]
) -> None:
    payer = {"openid": user["openids"][oa["app_id"]]}
    order = pay.pay(description="x", out_trade_no="ORDER001", amount={"total": 100}, payer=payer)
    paid = api.phone("pay", user="zhang", prepay_id=text_of(order)["prepay_id"])
    (row,) = api.get("/__mock__/phone/inbox", user="zhang", app_id=oa["app_id"])
    assert (row["kind"], row["transaction_id"], row["amount_fen"]) == ("pay", paid["transaction_id"], 100)
    body = {"touser": payer["openid"], "msgtype": "text", "text": {"content": "已收到"}}
    assert api.post("/cgi-bin/message/custom/send", body, access_token=api.token(oa))["errcode"] == 0
