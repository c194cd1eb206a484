"""The menu (自定义菜单): at most three buttons, five under each, checked as WeChat checks it."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from mock_wechat.account.token import Tokens, json_body
from mock_wechat.errors import AccountError, PhoneError, answer
from mock_wechat.ground import Ground

BUTTONS, SUB_BUTTONS = 3, 5
NAME_BYTES, SUB_NAME_BYTES, KEY_BYTES, URL_BYTES = 16, 60, 128, 1024
WITH_KEY = (
    "click",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
)
WITH_MEDIA = ("media_id", "view_limited", "article_id", "article_view_limited")


class Menu:
    def __init__(self, ground: Ground, tokens: Tokens) -> None:
        self._tokens = tokens
        self._menus = ground.table("menu")
        ground.mount(
            "menu",
            [
                ("POST", "/cgi-bin/menu/create", self.create),
                ("GET", "/cgi-bin/menu/get", self.get),
                ("GET", "/cgi-bin/menu/delete", self.delete),
                ("GET", "/cgi-bin/get_current_selfmenu_info", self.current),
            ],
        )

    def create(self) -> Response:
        app = self._tokens.check("oa")
        if b"\\u" in request.get_data():
            raise AccountError(40033)
        buttons = json_body().get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= BUTTONS:
            raise AccountError(40016)
        for button in buttons:
            _check(button, NAME_BYTES)
        self._menus.put(app.app_id, {"button": buttons})
        return _ok()

    def get(self) -> Response:
        menu = self._menus.get(self._tokens.check("oa").app_id)
        if menu is None:
            raise AccountError(46003)
        return answer({"menu": menu})

    def delete(self) -> Response:
        self._menus.pop(self._tokens.check("oa").app_id, None)
        return _ok()

    def current(self) -> Response:
        menu = self._menus.get(self._tokens.check("oa").app_id)
        return answer({"is_menu_open": 1 if menu else 0, "selfmenu_info": menu or {"button": []}})

    def buttons(self, app_id: str) -> list[dict[str, Any]]:
        menu = self._menus.get(app_id)
        return list(menu["button"]) if menu else []

    def find(self, app_id: str, wanted: str) -> dict[str, Any]:
        """The button that has this key, name or URL; the phone's refusal if there is none."""
        for top in self.buttons(app_id):
            for button in top.get("sub_button") or [top]:
                if wanted in (button.get("key"), button["name"], button.get("url")):
                    return dict(button)
        raise PhoneError(404, "button_unknown", "菜单里没有这一项")


def _check(button: Any, name_bytes: int) -> None:
    if not isinstance(button, dict):
        raise AccountError(40017)
    if not _fits(button.get("name"), name_bytes):
        raise AccountError(40018)
    subs = button.get("sub_button")
    if subs:
        if not isinstance(subs, list) or len(subs) > SUB_BUTTONS:
            raise AccountError(40023)
        for sub in subs:
            if isinstance(sub, dict) and sub.get("sub_button"):
                raise AccountError(40023)
            _check(sub, SUB_NAME_BYTES)
        return
    _check_action(button)


def _check_action(button: dict[str, Any]) -> None:
    kind = button.get("type")
    if kind in WITH_KEY:
        if not _fits(button.get("key"), KEY_BYTES):
            raise AccountError(40019)
    elif kind in ("view", "miniprogram"):
        if not _fits(button.get("url"), URL_BYTES) or not button["url"].startswith(("http://", "https://")):
            raise AccountError(40020)
        if kind == "miniprogram" and not (button.get("appid") and button.get("pagepath")):
            raise AccountError(40017)
    elif kind not in WITH_MEDIA:
        raise AccountError(40017)


def _fits(text: Any, limit: int) -> bool:
    return isinstance(text, str) and 0 < len(text.encode()) <= limit


def _ok() -> Response:
    return answer({"errcode": 0, "errmsg": "ok"})
