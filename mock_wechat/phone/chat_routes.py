"""The phone over HTTP: following an account and talking with it."""

from __future__ import annotations

from flask import Response

from mock_wechat.account.callback import Callback
from mock_wechat.account.custom import CustomMessages
from mock_wechat.account.menu import Menu
from mock_wechat.account.people import People
from mock_wechat.entries import App
from mock_wechat.errors import PhoneError, answer
from mock_wechat.ground import Ground
from mock_wechat.phone.forms import form, who


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
