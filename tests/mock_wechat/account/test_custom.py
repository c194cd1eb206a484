from __future__ import annotations

from typing import Any

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api


def codes(api: Api, oa: dict[str, Any], openid: str, times: int) -> list[int]:
    body = {"touser": openid, "msgtype": "text", "text": {"content": "您好"}}
    token = api.token(oa)
    return [api.post("/cgi-bin/message/custom/send", body, access_token=token)["errcode"] for _ in range(times)]


def test_only_after_the_user_did_something_and_only_so_often(
    api: Api, oa: dict[str, Any], user: dict[str, Any], wechat: WeChat
) -> None:
    openid = user["openids"][oa["app_id"]]
    assert codes(api, oa, openid, 1) == [45015]
    api.phone("follow", user="zhang", app_id=oa["app_id"])
    assert codes(api, oa, openid, 4) == [0, 0, 0, 45047]
    wechat.clock.advance(61)
    assert codes(api, oa, openid, 1) == [45015]
    api.phone("say", user="zhang", app_id=oa["app_id"], text="在吗")
    assert codes(api, oa, openid, 6) == [0, 0, 0, 0, 0, 45047]
    wechat.custom.allow(wechat.ground.apps[oa["app_id"]], "zhang", "payment")
    assert codes(api, oa, openid, 7) == [0] * 7
    wechat.clock.advance(48 * 3600)
    assert codes(api, oa, openid, 1) == [45015]
    texts = [row["content"]["content"] for row in wechat.inbox.of("zhang")]
    assert texts == ["您好"] * 15


def test_what_is_refused(api: Api, oa: dict[str, Any], user: dict[str, Any]) -> None:
    token = api.token(oa)

    def code(body: dict[str, Any]) -> int:
        return int(api.post("/cgi-bin/message/custom/send", body, access_token=token)["errcode"])

    assert code({"touser": "o-of-nobody", "msgtype": "text", "text": {"content": "x"}}) == 40003
    assert code({"touser": user["openids"][oa["app_id"]], "msgtype": "text"}) == 47001
