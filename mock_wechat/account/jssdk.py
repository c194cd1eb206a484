"""JS-SDK: the jsapi ticket that pages sign with."""

from __future__ import annotations

import hashlib
import secrets

from flask import Response, request

from mock_wechat.account.token import Tokens
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground

LIFE_S = 7200


class JsSdk:
    def __init__(self, ground: Ground, tokens: Tokens) -> None:
        self._ground, self._tokens = ground, tokens
        self._tickets = ground.table("jsapi_ticket")
        ground.mount("jssdk", [("GET", "/cgi-bin/ticket/getticket", self.getticket)])

    def getticket(self) -> Response:
        app = self._tokens.check("oa")
        if request.args.get("type") != "jsapi":
            raise AccountError(40097)
        with self._ground.lock:
            row = self._tickets.get(app.app_id)
            if row is None or row["expires"] <= self._ground.epoch():
                row = {"ticket": secrets.token_urlsafe(64), "expires": self._ground.epoch() + LIFE_S}
                self._tickets.put(app.app_id, row)
        left_s = row["expires"] - self._ground.epoch()
        return answer({"errcode": 0, "errmsg": "ok", "ticket": row["ticket"], "expires_in": left_s})

    def accepts(self, app_id: str, config: dict[str, str]) -> bool:
        """Whether `wx.config` would pass: `url` of the page, `nonceStr`, `timestamp`, `signature`."""
        row = self._tickets.get(app_id)
        if row is None:
            return False
        return config["signature"] == page_signature(row["ticket"], config)


def page_signature(ticket: str, config: dict[str, str]) -> str:
    """SHA-1 over ticket, nonce, timestamp and the page's URL without its fragment."""
    url = config["url"].split("#", 1)[0]
    text = f"jsapi_ticket={ticket}&noncestr={config['nonceStr']}&timestamp={config['timestamp']}&url={url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
