"""Whatever is sent, the double answers in its own words: no route ever fails with a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wechatpayv3 import WeChatPay
from wechatpayv3.type import RequestType

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api

JUNK: tuple[Any, ...] = (None, 0, "x", [], [1], {}, {"a": 1}, True)
KEYS = [
    "appid",
    "secret",
    "grant_type",
    "touser",
    "template_id",
    "data",
    "user_list",
    "button",
    "msgtype",
    "text",
    "code",
    "openid",
    "path",
    "query",
    "jump_wxa",
    "expire_interval",
    "version",
    "scene",
    "content",
    "user",
    "app_id",
    "redirect_uri",
    "state",
    "template_ids",
    "key",
    "prepay_id",
    "params",
    "out_bill_no",
    "package_info",
    "out_no",
    "account",
    "fen",
    "out_trade_no",
    "amount",
    "payer",
    "notify_url",
    "mchid",
]


def bodies(junk: Any) -> list[Any]:
    return [junk, dict.fromkeys(KEYS, junk)]


def posts(wechat: WeChat, prefix: str) -> list[str]:
    paths = [r.rule for r in wechat.app.url_map.iter_rules() if "POST" in (r.methods or ()) and "<" not in r.rule]
    return sorted(path for path in paths if path.startswith(prefix))


@pytest.mark.parametrize("junk", JUNK)
def test_accounts_and_mini_programs(wechat: WeChat, api: Api, world: dict[str, Any], junk: Any) -> None:
    paths = [path for path in posts(wechat, "/") if path.startswith(("/cgi-bin", "/wxa"))]
    assert len(paths) > 8
    client = wechat.app.test_client()
    for app in world["apps"]:
        token = api.token(app)
        for path in paths:
            for body in bodies(junk):
                answer = client.post(path, query_string={"access_token": token}, json=body)
                assert answer.status_code == 200, (path, body)


@pytest.mark.parametrize("junk", JUNK)
def test_the_phone(wechat: WeChat, world: dict[str, Any], user: dict[str, Any], junk: Any) -> None:
    client = wechat.app.test_client()
    for path in posts(wechat, "/__mock__/phone/"):
        for body in bodies(junk):
            for more in ({}, {"user": "zhang"}, {"user": "zhang", "app_id": world["apps"][0]["app_id"]}):
                sent = {**body, **more} if isinstance(body, dict) else body
                answer = client.post(path, json=sent)
                assert answer.status_code < 500, (path, sent)


@pytest.mark.parametrize("junk", JUNK)
def test_pay(wechat: WeChat, pay: WeChatPay, junk: Any) -> None:
    paths = posts(wechat, "/v3/")
    assert len(paths) == 3
    for path in paths:
        for body in bodies(junk):
            status, text = pay._core.request(path, method=RequestType.POST, data=body)
            # A null or empty body is signed as "" by the library, but sent as JSON.
            assert (status, json.loads(text)["code"]) in ((400, "PARAM_ERROR"), (401, "SIGN_ERROR")), (path, body)
