from __future__ import annotations

from typing import Any

import pytest

from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver

DATA = {"thing1": {"value": "理赔进度"}, "amount2": {"value": "12.30元"}}


def send(api: Api, app: dict[str, Any], user: dict[str, Any], **more: Any) -> int:
    path = "send" if app["kind"] == "mini" else "bizsend"
    body = {"touser": user["openids"][app["app_id"]], "template_id": "tpl-paid", "data": DATA, **more}
    return int(api.post(f"/cgi-bin/message/subscribe/{path}", body, access_token=api.token(app))["errcode"])


def consent(api: Api, app: dict[str, Any], **more: Any) -> None:
    api.phone("subscribe", user="zhang", app_id=app["app_id"], template_ids=["tpl-paid"], **more)


@pytest.mark.parametrize("kind", [0, 1])
def test_one_consent_is_one_message(api: Api, world: dict[str, Any], user: dict[str, Any], kind: int) -> None:
    app = world["apps"][kind]
    assert send(api, app, user) == 43101
    consent(api, app)
    consent(api, app)
    assert [send(api, app, user) for _ in range(3)] == [0, 0, 43101]
    inbox = api.get("/__mock__/phone/inbox", user="zhang")
    assert [row["data"]["thing1"] for row in inbox] == ["理赔进度"] * 2


def test_a_refusal_takes_the_consents_back(api: Api, mini: dict[str, Any], user: dict[str, Any]) -> None:
    consent(api, mini)
    consent(api, mini, accept=False)
    assert send(api, mini, user) == 43101


def test_a_long_term_consent_does_not_end(api: Api, mini: dict[str, Any], user: dict[str, Any]) -> None:
    consent(api, mini, long_term=True)
    assert [send(api, mini, user) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"page": "/pages/claim"}, 41030),
        ({"page": "pages/none"}, 41030),
        ({"page": "pages/claim?id=1"}, 0),
        ({"template_id": "tpl-none"}, 40037),
        ({"touser": "o-of-nobody"}, 40003),
        ({"data": {"thing1": {"value": "长" * 21}}}, 47003),
        ({"miniprogram_state": "beta"}, 47001),
    ],
)
def test_fields(api: Api, mini: dict[str, Any], user: dict[str, Any], change: dict[str, Any], code: int) -> None:
    consent(api, mini)
    assert send(api, mini, user, **change) == code


def test_consents_and_sendings_are_told(
    api: Api, oa: dict[str, Any], user: dict[str, Any], wechat: WeChat, receiver: Receiver
) -> None:
    app = wechat.ground.apps[oa["app_id"]]
    app.callback_url, app.mode = f"{receiver.url}/callback", "plain"
    consent(api, oa)
    assert b"<SubscribeStatusString><![CDATA[accept]]>" in receiver.wait()[0][2]
    send(api, oa, user)
    assert b"subscribe_msg_sent_event" in receiver.wait(2)[1][2]
