"""Customer-service messages (客服消息): allowed for a while, and a few times, after the user did something.

Source: WeChat developer documentation, 客服消息: a message of the user allows 5 in 48 hours, a menu tap, a follow or
a scan 3 in one minute, a payment any number in 48 hours.
"""

from __future__ import annotations

from typing import Any

from flask import Response

from mock_wechat.account.inbox import Inbox
from mock_wechat.account.people import People
from mock_wechat.account.token import Tokens, json_body
from mock_wechat.entries import App
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground

HOURS_48_S = 48 * 3600
ALLOWANCES = {"message": (5, HOURS_48_S), "tap": (3, 60), "payment": (10**9, HOURS_48_S)}
CONTENTS = ("text", "image", "voice", "news", "mpnews", "msgmenu", "miniprogrampage", "link")


class CustomMessages:
    def __init__(self, ground: Ground, people: People, tokens: Tokens, inbox: Inbox) -> None:
        self._ground, self._people, self._tokens, self._inbox = ground, people, tokens, inbox
        self._windows = ground.table("custom_window")
        ground.mount("custom", [("POST", "/cgi-bin/message/custom/send", self.send)])

    def allow(self, app: App, user: str, reason: str) -> None:
        """Open the window that a user's act (`reason`: message, tap, payment) opens."""
        left, life_s = ALLOWANCES[reason]
        with self._ground.lock:
            key = f"{app.app_id}:{user}"
            windows = self._windows.get(key, {})
            windows[reason] = {"left": left, "until": self._ground.epoch() + life_s}
            self._windows.put(key, windows)

    def send(self) -> Response:
        app = self._tokens.check()
        body = json_body()
        user = self._people.find(app.app_id, str(body.get("touser", "")))
        if user is None:
            raise AccountError(40003)
        kind = body.get("msgtype")
        if kind not in CONTENTS or not isinstance(body.get(kind), dict):
            raise AccountError(47001)
        self._use(app, user)
        self._inbox.add(user, app.app_id, "custom", {"msgtype": kind, "content": body[kind]})
        return answer({"errcode": 0, "errmsg": "ok"})

    def _use(self, app: App, user: str) -> None:
        with self._ground.lock:
            key = f"{app.app_id}:{user}"
            windows: dict[str, Any] = self._windows.get(key, {})
            now_s = self._ground.epoch()
            open_now = [window for window in windows.values() if window["until"] > now_s]
            if not open_now:
                raise AccountError(45015)
            usable = [window for window in open_now if window["left"] > 0]
            if not usable:
                raise AccountError(45047)
            usable[0]["left"] -= 1
            self._windows.put(key, windows)
