"""The account's messages and events, pushed to the developer's callback server in the account's own mode.

The receiver has five seconds; an empty body or `success` is enough; otherwise the push is made three times in all.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import httpx

from mock_wechat.account.envelope import encrypt, open_reply, signature, write_xml
from mock_wechat.account.inbox import Inbox
from mock_wechat.account.people import People
from mock_wechat.entries import App
from mock_wechat.ground import Ground
from mock_wechat.push import Push, PushFault, Sent
from mock_wechat.pusher import Pusher

TRIES = 3
OUT_OF_ORDER = "该公众号提供的服务出现故障，请稍后再试"


class Callback:
    def __init__(self, ground: Ground, pusher: Pusher, people: People, inbox: Inbox) -> None:
        self._ground, self._pusher, self._people, self._inbox = ground, pusher, people, inbox
        pusher.senders["callback"] = self._send
        pusher.givers_up["callback"] = self._give_up

    def event(self, app: App, user: str, event: str, *, now: bool = False, **fields: Any) -> None:
        """Push an event; `fields` are its further elements."""
        self._push(app, user, {"MsgType": "event", "Event": event, **fields}, now)

    def message(self, app: App, user: str, **fields: Any) -> dict[str, Any] | None:
        """Push a message of the user's and wait; the passive reply, if one came."""
        number = 2**62 + self._ground.number("message")
        before = self._inbox.count()
        self._push(app, user, {**fields, "MsgId": number}, True)
        return self._inbox.newest_since(before, user)

    def _push(self, app: App, user: str, fields: dict[str, Any], now: bool) -> None:
        if not app.callback_url:
            return
        head = {"ToUserName": app.original_id, "FromUserName": self._people.openid(user, app)}
        content = {"user": user, "fields": {**head, "CreateTime": self._ground.epoch(), **fields}}
        topic = fields.get("Event") or fields["MsgType"]
        push = Push("callback", app.app_id, app.callback_url, str(topic), content, [0.0] * (TRIES - 1))
        self._pusher.submit(push, now=now)

    def verify_url(self, app: App) -> bool:
        """What the console does when the address is saved: GET with an echostr that must come back."""
        stamp, nonce, echo = str(int(time.time())), secrets.token_hex(5), str(secrets.randbits(62))
        query = {"signature": signature(app.token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "echostr": echo}
        try:
            answer = self._pusher.http.get(app.callback_url, params=query)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and answer.text == echo

    def _send(self, row: dict[str, Any], fault: PushFault) -> Sent:
        app = self._ground.apps[row["owner"]]
        fields = row["content"]["fields"]
        query, body = self._wrap(app, fields, fault)
        answer = self._pusher.http.post(
            row["url"], params=query, content=body.encode(), headers={"Content-Type": "text/xml"}
        )
        taken = answer.status_code == 200 and self._take_reply(app, row["content"]["user"], answer.text)
        return Sent(taken, answer.status_code, answer.text)

    def _give_up(self, row: dict[str, Any]) -> None:
        if row["content"]["fields"]["MsgType"] != "event":
            self._inbox.add(row["content"]["user"], row["owner"], "notice", {"Content": OUT_OF_ORDER})

    def _wrap(self, app: App, fields: dict[str, Any], fault: PushFault) -> tuple[dict[str, str], str]:
        stamp, nonce = str(int(time.time())), secrets.token_hex(5)
        token = secrets.token_hex(8) if fault.signature else app.token
        query = {"signature": signature(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        query["openid"] = fields["FromUserName"]
        if app.mode == "plain":
            return query, write_xml(fields)
        ciphertext = encrypt(write_xml(fields), app.aes_key, app.app_id)
        query |= {"encrypt_type": "aes", "msg_signature": signature(token, stamp, nonce, ciphertext)}
        shown = fields if app.mode == "compatible" else {"ToUserName": app.original_id}
        return query, write_xml({**shown, "Encrypt": ciphertext})

    def _take_reply(self, app: App, user: str, text: str) -> bool:
        if text.strip() in ("", "success"):
            return True
        try:
            reply = open_reply(text, app.aes_key, app.token, app.app_id)
        except (ValueError, KeyError):
            return False
        self._inbox.add(user, app.app_id, "reply", {k: v for k, v in reply.items() if k != "ToUserName"})
        return True
