"""The phone over HTTP, who there is, logging in to mini-programs, reading what arrived."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from mock_wechat.account.codes import Codes
from mock_wechat.account.inbox import Inbox
from mock_wechat.account.people import People
from mock_wechat.entries import App
from mock_wechat.errors import answer
from mock_wechat.ground import Ground
from mock_wechat.phone.forms import form, who


class PeopleRoutes:
    def __init__(self, ground: Ground, people: People, codes: Codes, inbox: Inbox) -> None:
        self._ground, self._people, self._codes = ground, people, codes
        self._inbox = inbox
        ground.mount(
            "phone",
            [
                ("POST", "/__mock__/phone/users", self.add_user),
                ("GET", "/__mock__/phone/users", self.users),
                ("POST", "/__mock__/phone/mini_login", self.mini_login),
                ("POST", "/__mock__/phone/phone_code", self.phone_code),
                ("POST", "/__mock__/phone/block", self.block),
                ("GET", "/__mock__/phone/inbox", self.inbox),
            ],
        )

    def add_user(self) -> Response:
        return answer(self._people.add(form("name", "phone")), 201)

    def users(self) -> Response:
        return answer(self._people.all())

    def mini_login(self) -> Response:
        user, app = self._who(form("user", "app_id"), "mini")
        return answer({"code": self._codes.issue("login", app, user)})

    def phone_code(self) -> Response:
        user, app = self._who(form("user", "app_id"), "mini")
        return answer({"code": self._codes.issue("phone", app, user)})

    def block(self) -> Response:
        """Refuse an account's messages (`app_id`), or become a high-risk user (`app_id` "high_risk")."""
        body = form("user", "app_id")
        row = self._people.get(body["user"])
        blocks = [b for b in row["blocks"] if b != body["app_id"]]
        self._people.save({**row, "blocks": [*blocks, body["app_id"]] if body.get("on", True) else blocks})
        return answer({"blocks": self._people.get(body["user"])["blocks"]})

    def inbox(self) -> Response:
        user = self._people.get(request.args.get("user", ""))["user"]
        return answer(self._inbox.of(user, request.args.get("app_id", "")))

    def _who(self, body: dict[str, Any], kind: str = "") -> tuple[str, App]:
        return who(self._ground, self._people, body, kind)
