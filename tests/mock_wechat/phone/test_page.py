from __future__ import annotations

import re
from typing import Any

from wechatpayv3 import WeChatPay

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, account_client, text_of, until
from tests.mock_wechat.pay.test_transfers import bill


def show(api: Api, **query: str) -> str:
    page = api.raw("GET", "/phone", params=query)
    assert page.status_code == 200
    return page.text


def test_it_begins_with_nobody(api: Api) -> None:
    page = show(api, user="nobody", app="wx0")
    assert "还没有微信用户" in page
    assert 'data-act="users"' in page, "one can be added"
    assert not re.search(r"(src|href)=.https?://", page)


def test_what_waits_for_the_user_is_shown(
    api: Api, pay: WeChatPay, user: dict[str, Any], oa: dict[str, Any], wechat: WeChat
) -> None:
    openid = user["openids"][oa["app_id"]]
    assert "关注" in show(api, user="zhang", app=oa["app_id"])
    api.phone("follow", user="zhang", app_id=oa["app_id"])
    client = account_client(wechat, oa)
    client.menu.create({"button": [{"type": "view", "name": "商保理赔", "url": "https://h5.example.com/"}]})
    client.message.send_template(openid, "tpl-paid", {"thing1": {"value": "<b>门诊</b>"}})
    until(lambda: wechat.inbox.of("zhang"))
    text_of(bill(pay, openid))
    prepay = text_of(pay.pay("挂号费", "ORDER001", {"total": 1_250}, {"openid": openid}))["prepay_id"]
    page = show(api, user="zhang", app=oa["app_id"])
    assert "thing1" not in page, "a field's name is nothing for a person"
    assert "<dt>内容</dt><dd>&lt;b&gt;门诊" in page
    for part in ("商保理赔", "理赔款：<", ">50.00 元", "挂号费：<", ">12.50 元", prepay):
        assert part in page
    api.phone("pay", user="zhang", prepay_id=prepay)
    api.phone("confirm_transfer", user="zhang", out_bill_no="P1")
    page = show(api, user="zhang", app=oa["app_id"])
    assert ["待支付" in page, "待收款" in page, "支付成功 12.50 元" in page] == [False, False, True]
    assert api.get("/__mock__/phone/count") == {"count": 2}
