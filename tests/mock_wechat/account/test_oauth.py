from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from wechatpy.oauth import WeChatOAuthException

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, oauth_client

BACK = "https://h5.example.com/back?x=1"


def authorize(api: Api, oa: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"user": "zhang", "app_id": oa["app_id"], "redirect_uri": BACK, "state": "s1", **more}
    return dict(api.phone("authorize", **body))


def test_wechatpy_redeems_the_code_once(wechat: WeChat, api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    given = authorize(api, oa)
    assert given["location"] == f"https://h5.example.com/back?x=1&code={given['code']}&state=s1"
    client = oauth_client(wechat, oa, BACK)
    answer = client.fetch_access_token(given["code"])
    assert (answer["openid"], answer["scope"]) == (user["openids"][oa["app_id"]], "snsapi_base")
    assert "unionid" not in answer
    with pytest.raises(WeChatOAuthException, match="40163"):
        client.fetch_access_token(given["code"])


def test_userinfo_scope_tells_who_it_is(wechat: WeChat, api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    client = oauth_client(wechat, oa, BACK, "snsapi_userinfo")
    answer = client.fetch_access_token(authorize(api, oa, scope="snsapi_userinfo")["code"])
    assert answer["unionid"] == user["unionid"]
    assert client.get_user_info()["nickname"] == "张三"
    assert client.check_access_token()
    assert client.refresh_access_token(answer["refresh_token"])["openid"] == answer["openid"]
    with pytest.raises(WeChatOAuthException, match="40030"):
        client.refresh_access_token("made-up")


def test_a_base_token_reads_no_profile(wechat: WeChat, api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    client = oauth_client(wechat, oa, BACK)
    client.fetch_access_token(authorize(api, oa)["code"])
    with pytest.raises(WeChatOAuthException, match="48001"):
        client.get_user_info()


def test_codes_and_tokens_grow_old(wechat: WeChat, api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    client = oauth_client(wechat, oa, BACK)
    code = authorize(api, oa)["code"]
    wechat.clock.advance(301)
    with pytest.raises(WeChatOAuthException, match="40029"):
        client.fetch_access_token(code)
    token = client.fetch_access_token(authorize(api, oa)["code"])
    wechat.clock.advance(7201)
    with pytest.raises(WeChatOAuthException, match="42001"):
        client.check_access_token()
    wechat.clock.advance(30 * 86400)
    with pytest.raises(WeChatOAuthException, match="42002"):
        client.refresh_access_token(token["refresh_token"])


def test_a_snapshot_page_is_marked(wechat: WeChat, api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    code = authorize(api, oa, snapshot=True)["code"]
    assert oauth_client(wechat, oa, BACK).fetch_access_token(code)["is_snapshotuser"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"redirect_uri": "https://evil.example.com/back"}, "10003"),
        ({"redirect_uri": "javascript:alert(1)"}, "10003"),
        ({"scope": "snsapi_login"}, "10005"),
        ({"state": "x" * 129}, "10016"),
        ({"user": "nobody"}, "user_unknown"),
        ({"app_id": "wx0"}, "app_unknown"),
    ],
)
def test_what_the_page_refuses(api: Api, oa: dict[str, Any], user: Any, change: dict[str, str], code: str) -> None:
    assert authorize(api, oa, **change)["code"] == code


def test_the_page_asks_and_then_knows_the_phone(api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    query = {"appid": oa["app_id"], "redirect_uri": BACK, "response_type": "code", "scope": "snsapi_base", "state": "s"}
    page = api.raw("GET", "/connect/oauth2/authorize", params=query)
    assert ("张三" in page.text, "允许" in page.text) == (True, True)
    allowed = api.raw("POST", "/connect/oauth2/authorize", data={**query, "user": "zhang", "decision": "allow"})
    assert list(parse_qs(urlsplit(allowed.headers["location"]).query)) == ["x", "code", "state"]
    silent = api.raw("GET", "/connect/oauth2/authorize", params=query)
    assert "code=" in silent.headers["location"]


def test_refusing_brings_back_the_state_alone(api: Api, oa: dict[str, Any]) -> None:
    form = {"appid": oa["app_id"], "redirect_uri": BACK, "scope": "snsapi_userinfo", "state": "s", "decision": "deny"}
    denied = api.raw("POST", "/connect/oauth2/authorize", data=form)
    assert denied.headers["location"] == "https://h5.example.com/back?x=1&state=s"
