"""The phone over HTTP, the social half: who there is, following, logging in, talking, reading."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from mock_wechat.account.callback import Callback
from mock_wechat.account.codes import Codes
from mock_wechat.account.custom import CustomMessages
from mock_wechat.account.inbox import Inbox
from mock_wechat.account.menu import Menu
from mock_wechat.account.oauth import OAuth
from mock_wechat.account.people import People
from mock_wechat.entries import App
from mock_wechat.errors import PhoneError, answer
from mock_wechat.ground import Ground
from mock_wechat.mini.subscribe import Subscriptions
from mock_wechat.phone.forms import form


class PeopleRoutes:
    def __init__(self, ground: Ground, people: People, codes: Codes, inbox: Inbox, callback: Callback) -> None:
        self._ground, self._people, self._codes = ground, people, codes
        self._inbox, self._callback = inbox, callback
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


class ChatRoutes:
    def __init__(self, ground: Ground, people: People, callback: Callback, custom: CustomMessages, menu: Menu) -> None:
        self._ground, self._people, self._callback = ground, people, callback
        self._custom, self._menu = custom, menu
        ground.mount(
            "chat",
            [
                ("POST", "/__mock__/phone/follow", self.follow),
                ("POST", "/__mock__/phone/unfollow", self.unfollow),
                ("POST", "/__mock__/phone/tap_menu", self.tap_menu),
                ("POST", "/__mock__/phone/say", self.say),
            ],
        )

    def follow(self) -> Response:
        """Follow an account; with `scene` as if by scanning a QR code."""
        body = form("user", "app_id")
        user, app = who(self._ground, self._people, body, "oa")
        changed = self._people.follow(user, app, True)
        if changed:
            self._custom.allow(app, user, "tap")
            scene = f"qrscene_{body['scene']}" if body.get("scene") else ""
            self._callback.event(app, user, "subscribe", now=True, EventKey=scene)
        return answer({"openid": self._people.openid(user, app), "changed": changed})

    def unfollow(self) -> Response:
        user, app = who(self._ground, self._people, form("user", "app_id"), "oa")
        changed = self._people.follow(user, app, False)
        if changed:
            self._callback.event(app, user, "unsubscribe", now=True, EventKey="")
        return answer({"changed": changed})

    def tap_menu(self) -> Response:
        """Tap the button with this `key`, name or URL; the address it opens or the event it sends."""
        body = form("user", "app_id", "key")
        user, app = who(self._ground, self._people, body, "oa")
        self._must_follow(user, app)
        button = self._menu.find(app.app_id, body["key"])
        self._custom.allow(app, user, "tap")
        event = {"click": "CLICK", "view": "VIEW", "miniprogram": "view_miniprogram"}.get(
            button["type"], button["type"]
        )
        target = button.get("url") or button.get("key") or button.get("pagepath") or ""
        self._callback.event(app, user, event, now=True, EventKey=target)
        return answer({"button": button, "url": button.get("url", "")})

    def say(self) -> Response:
        """Write a text to the account; its passive reply, if it gave one."""
        body = form("user", "app_id", "text")
        user, app = who(self._ground, self._people, body)
        if app.kind == "oa":
            self._must_follow(user, app)
        self._custom.allow(app, user, "message")
        reply = self._callback.message(app, user, MsgType="text", Content=body["text"])
        return answer({"reply": reply})

    def _must_follow(self, user: str, app: App) -> None:
        if self._people.follows(user, app) is None:
            raise PhoneError(409, "not_following", "请先关注公众号")


class ConsentRoutes:
    def __init__(self, ground: Ground, people: People, oauth: OAuth, subscriptions: Subscriptions) -> None:
        self._ground, self._people, self._oauth, self._subscriptions = ground, people, oauth, subscriptions
        ground.mount(
            "consent",
            [
                ("POST", "/__mock__/phone/authorize", self.authorize),
                ("POST", "/__mock__/phone/subscribe", self.subscribe),
            ],
        )

    def authorize(self) -> Response:
        """Open the web login and allow it: the code and the address the phone is sent to."""
        body = form("user", "app_id", "redirect_uri")
        user, app = who(self._ground, self._people, body, "oa")
        scope, state = body.get("scope", "snsapi_base"), body.get("state", "")
        snapshot = bool(body.get("snapshot"))
        location = self._oauth.authorize(app, user, body["redirect_uri"], scope, state, snapshot=snapshot)
        code = location.split("code=", 1)[1].split("&", 1)[0]
        return answer({"code": code, "state": state, "location": location})

    def subscribe(self) -> Response:
        """Answer the popup for `template_ids`: `accept` (default true), `long_term`."""
        body = form("user", "app_id", "template_ids")
        user, app = who(self._ground, self._people, body)
        accept, long_term = bool(body.get("accept", True)), bool(body.get("long_term"))
        self._subscriptions.consent(app, user, body["template_ids"], accept=accept, long_term=long_term)
        return answer({"accepted": accept})


def who(ground: Ground, people: People, body: dict[str, Any], kind: str = "") -> tuple[str, App]:
    """The user and the app that a form names; `kind` demands an "oa" or a "mini"."""
    app = ground.phone_app(body["app_id"])
    if kind and app.kind != kind:
        raise PhoneError(409, "wrong_kind", "公众号和小程序不能混用")
    return str(people.get(body["user"])["user"]), app
