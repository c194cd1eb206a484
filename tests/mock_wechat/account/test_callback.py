from __future__ import annotations

from typing import Any

import pytest
from flask import Response
from flask import request as came
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

from mock_wechat.account.callback import OUT_OF_ORDER
from mock_wechat.server import WeChat
from tests.mock_wechat.kit import Api, Receiver, until


@pytest.fixture
def app(wechat: WeChat, oa: dict[str, Any], receiver: Receiver, user: dict[str, Any]) -> Any:
    app = wechat.ground.apps[oa["app_id"]]
    app.callback_url = f"{receiver.url}/callback"
    wechat.people.follow("zhang", app, True)
    return app


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_wechatpy_reads_each_mode_and_its_reply_is_read(api: Api, app: Any, receiver: Receiver, mode: str) -> None:
    app.mode = mode
    crypto = WeChatCrypto(app.token, app.aes_key, app.app_id)

    def answer() -> Response:
        text, query = came.get_data(as_text=True), came.args
        check_signature(app.token, query["signature"], query["timestamp"], query["nonce"])
        if mode != "plain":
            text = crypto.decrypt_message(text, query["msg_signature"], query["timestamp"], query["nonce"])
        message = parse_message(text)
        reply = create_reply(f"收到：{message.content}", message=message).render()
        return Response(reply if mode == "plain" else crypto.encrypt_message(reply, query["nonce"], query["timestamp"]))

    receiver.on_post = answer
    reply = api.phone("say", user="zhang", app_id=app.app_id, text="理赔")["reply"]
    assert (reply["kind"], reply["MsgType"], reply["Content"]) == ("reply", "text", "收到：理赔")
    assert len(receiver.got) == 1
    body = receiver.got[0][2].decode()
    assert [b in body for b in ("<Content>", "<Encrypt>")] == [mode != "safe", mode != "plain"]


def test_messages_have_growing_ids_and_events_none(api: Api, app: Any, receiver: Receiver) -> None:
    app.mode = "plain"
    for text in ("一", "二"):
        api.phone("say", user="zhang", app_id=app.app_id, text=text)
    api.phone("unfollow", user="zhang", app_id=app.app_id)
    first, second, event = (parse_message(body) for _, _, body in receiver.got)
    assert second.id > first.id > 0
    assert (event.event, event.source) == ("unsubscribe", first.source)
    assert event.target == app.original_id


def test_a_scanned_code_is_told(api: Api, app: Any, receiver: Receiver, wechat: WeChat) -> None:
    app.mode = "plain"
    wechat.people.follow("zhang", app, False)
    api.phone("follow", user="zhang", app_id=app.app_id, scene="H1")
    assert b"<EventKey><![CDATA[qrscene_H1]]></EventKey>" in receiver.wait()[0][2]


def test_three_tries_and_then_the_user_is_told(api: Api, app: Any, receiver: Receiver, wechat: WeChat) -> None:
    app.mode = "plain"
    receiver.answers = [(500, ""), (200, "garbage"), (404, "")]
    api.phone("say", user="zhang", app_id=app.app_id, text="x")
    until(lambda: [row["Content"] for row in wechat.inbox.of("zhang")] == [OUT_OF_ORDER])
    assert len({body for _, _, body in receiver.got}) == 1
    assert len(receiver.got) == 3


@pytest.mark.parametrize("text", ["", "success"])
def test_nothing_or_success_is_enough(api: Api, app: Any, receiver: Receiver, text: str) -> None:
    receiver.answers = [(200, text)]
    assert api.phone("say", user="zhang", app_id=app.app_id, text="x") == {"reply": None}
    assert len(receiver.got) == 1


def test_a_forged_push_can_be_ordered(api: Api, app: Any, receiver: Receiver) -> None:
    api.post("/__mock__/push_faults", {"contains": "text", "signature": "wrong"})
    api.phone("say", user="zhang", app_id=app.app_id, text="x")
    query, _, body = receiver.got[0]
    crypto = WeChatCrypto(app.token, app.aes_key, app.app_id)
    with pytest.raises(InvalidSignatureException):
        crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])


def test_saving_the_address_verifies_it(api: Api, app: Any, receiver: Receiver) -> None:
    def echo() -> str:
        check_signature(app.token, came.args["signature"], came.args["timestamp"], came.args["nonce"])
        return came.args["echostr"]

    receiver.app.add_url_rule("/good", "good", echo)
    receiver.app.add_url_rule("/bad", "bad", lambda: "hello")
    path = f"/__mock__/apps/{app.app_id}"
    assert api.post(path, {"callback_url": f"{receiver.url}/good"})["verified"] is True
    assert api.post(path, {"callback_url": f"{receiver.url}/bad"})["verified"] is False
    assert api.post(path, {"callback_url": "http://127.0.0.1:9/"})["verified"] is False
