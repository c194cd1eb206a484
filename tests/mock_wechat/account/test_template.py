from __future__ import annotations

from typing import Any

import pytest
from wechatpy import parse_message
from wechatpy.exceptions import WeChatClientException

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, account_client, begin_day, until

DATA = {"thing1": {"value": "门诊"}, "amount2": {"value": "12.30元"}}


@pytest.fixture
def openid(api: Api, user: dict[str, Any], oa: dict[str, Any]) -> str:
    return str(api.phone("follow", user="zhang", app_id=oa["app_id"])["openid"])


def send(api: Api, oa: dict[str, Any], openid: str, **more: Any) -> dict[str, Any]:
    body = {"touser": openid, "template_id": "tpl-paid", "data": DATA, **more}
    return dict(api.post("/cgi-bin/message/template/send", body, access_token=api.token(oa)))


def test_wechatpy_sends_and_the_phone_receives(wechat: WeChat, api: Api, oa: dict[str, Any], openid: str) -> None:
    sent = account_client(wechat, oa).message.send_template(openid, "tpl-paid", DATA, url="https://h5.example.com/c")
    (message,) = until(lambda: api.get("/__mock__/phone/inbox", user="zhang"))
    assert message["data"] == {"thing1": "门诊", "amount2": "12.30元"}
    assert (message["msgid"], message["url"]) == (sent["msgid"], "https://h5.example.com/c")
    assert (message["kind"], message["app_id"]) == ("template", oa["app_id"])


def test_the_result_is_told(wechat: WeChat, api: Api, oa: dict[str, Any], openid: str, receiver: Receiver) -> None:
    app = wechat.ground.apps[oa["app_id"]]
    app.callback_url, app.mode = f"{receiver.url}/callback", "plain"
    sent = send(api, oa, openid)
    event = parse_message(receiver.wait()[0][2])
    assert (event.event, event.id, event.status) == ("templatesendjobfinish", sent["msgid"], "success")
    api.phone("block", user="zhang", app_id=oa["app_id"])
    send(api, oa, openid)
    assert parse_message(receiver.wait(2)[1][2]).status == "failed:user block"
    assert len(api.get("/__mock__/phone/inbox", user="zhang")) == 1


def test_the_same_client_number_is_sent_once(api: Api, oa: dict[str, Any], openid: str, wechat: WeChat) -> None:
    first, second = send(api, oa, openid, client_msg_id="c1"), send(api, oa, openid, client_msg_id="c1")
    assert first["msgid"] == second["msgid"]
    assert send(api, oa, openid, client_msg_id="c2")["msgid"] != first["msgid"]
    until(lambda: len(wechat.inbox.of("zhang")) == 2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"touser": "o-of-nobody"}, 40003),
        ({"template_id": "tpl-none"}, 40037),
        ({"data": {"thing1": {"value": ""}}}, 47003),
        ({"template_id": "tpl-strict", "data": {"thing1": {"value": "x"}}}, 47003),
    ],
)
def test_what_is_refused(api: Api, oa: dict[str, Any], openid: str, change: dict[str, Any], code: int) -> None:
    assert send(api, oa, openid, **change)["errcode"] == code


def test_only_followers_get_one(wechat: WeChat, oa: dict[str, Any], user: dict[str, Any]) -> None:
    with pytest.raises(WeChatClientException, match="43004"):
        account_client(wechat, oa).message.send_template(user["openids"][oa["app_id"]], "tpl-paid", DATA)


def test_a_template_can_be_banned(api: Api, oa: dict[str, Any], openid: str) -> None:
    api.post("/__mock__/settings", {"template_refusals": {"tpl-paid": 43116}})
    assert send(api, oa, openid)["errcode"] == 43116


def test_the_day_has_a_quota(api: Api, oa: dict[str, Any], openid: str, wechat: WeChat) -> None:
    begin_day(wechat)
    wechat.settings.template_day_quota = 1
    assert [send(api, oa, openid)["errcode"] for _ in range(2)] == [0, 45009]


def test_malformed_bodies(api: Api, oa: dict[str, Any]) -> None:
    def code(content: bytes) -> int:
        query = {"access_token": api.token(oa)}
        return int(api.raw("POST", "/cgi-bin/message/template/send", params=query, content=content).json()["errcode"])

    assert [code(b""), code(b"{"), code(b"[]")] == [44002, 47001, 47001]
