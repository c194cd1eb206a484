from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, account_client


def session(api: Api, mini: dict[str, Any], code: str, **more: str) -> dict[str, Any]:
    query = {"appid": mini["app_id"], "secret": mini["secret"], "js_code": code, "grant_type": "authorization_code"}
    return dict(api.get("/sns/jscode2session", **{**query, **more}))


@pytest.fixture
def code(api: Api, user: dict[str, Any], mini: dict[str, Any]) -> str:
    return str(api.phone("mini_login", user="zhang", app_id=mini["app_id"])["code"])


def test_a_code_is_a_session_once(api: Api, mini: dict[str, Any], user: dict[str, Any], code: str) -> None:
    answer = session(api, mini, code)
    assert answer["openid"] == user["openids"][mini["app_id"]]
    assert answer["unionid"] == user["unionid"]
    assert len(base64.b64decode(answer["session_key"])) == 16
    assert session(api, mini, code)["errcode"] == 40163


def test_wechatpy_logs_in(wechat: WeChat, mini: dict[str, Any], user: dict[str, Any], code: str) -> None:
    answer = account_client(wechat, mini).wxa.code_to_session(code)
    assert answer["openid"] == user["openids"][mini["app_id"]]


def test_what_is_refused(
    api: Api, mini: dict[str, Any], oa: dict[str, Any], user: dict[str, Any], code: str, wechat: WeChat
) -> None:
    assert session(api, mini, "made-up")["errcode"] == 40029
    assert session(api, mini, "")["errcode"] == 41008
    assert session(api, mini, code, secret="wrong")["errcode"] == 40125
    assert session(api, mini, code, appid=oa["app_id"], secret=oa["secret"])["errcode"] == 40013
    wechat.clock.advance(301)
    assert session(api, mini, code)["errcode"] == 40029


def test_a_high_risk_user_is_blocked(api: Api, mini: dict[str, Any], user: dict[str, Any], code: str) -> None:
    api.phone("block", user="zhang", app_id="high_risk")
    assert session(api, mini, code)["errcode"] == 40226


def test_the_session_key_can_be_checked_and_renewed(api: Api, mini: dict[str, Any], user: Any, code: str) -> None:
    answer = session(api, mini, code)
    signature = hmac.new(answer["session_key"].encode(), b"", hashlib.sha256).hexdigest()
    query = {"access_token": api.token(mini), "openid": answer["openid"], "signature": signature}
    assert api.get("/wxa/checksession", **query)["errcode"] == 0
    assert api.get("/wxa/resetusersessionkey", **query)["session_key"] != answer["session_key"]
    assert api.get("/wxa/checksession", **query)["errcode"] == 87009
