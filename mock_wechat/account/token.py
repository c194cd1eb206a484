"""access_token: `/cgi-bin/token` mints a new one each time, `/cgi-bin/stable_token` hands out the same to everyone.

Source: WeChat developer documentation, getAccessToken and getStableAccessToken. Both kinds are independent.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, request

from mock_wechat.entries import App
from mock_wechat.errors import AccountError, answer
from mock_wechat.ground import Ground
from mock_wechat.times import shanghai_date

LIFE_S = 7200
OVERLAP_S = 300
FORCE_GAP_S = 30


class Tokens:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._tokens = ground.table("access_token")
        self._current = ground.table("current_token")
        ground.mount(
            "token",
            [("GET", "/cgi-bin/token", self.token), ("POST", "/cgi-bin/stable_token", self.stable_token)],
        )

    def token(self) -> Response:
        app = self._caller(request.args)
        with self._ground.lock:
            self._count(f"token:{app.app_id}", self._ground.settings.token_day_quota)
            self._shorten(self._current.get(f"token:{app.app_id}"))
            return self._mint("token", app)

    def stable_token(self) -> Response:
        body = request.get_json(force=True, silent=True)
        if not isinstance(body, dict):
            raise AccountError(47001)
        app = self._caller(body)
        with self._ground.lock:
            current = self._current.get(f"stable:{app.app_id}")
            if current and body.get("force_refresh") and self._may_force(app, current):
                self._tokens.pop(current["token"], None)
                return self._mint("stable", app)
            left_s = current["expires"] - self._ground.epoch() if current else 0
            if current and left_s > OVERLAP_S and current["token"] in self._tokens:
                return answer({"access_token": current["token"], "expires_in": left_s})
            return self._mint("stable", app)

    def check(self, kind: str = "") -> App:
        """The app that the request's access_token belongs to; `kind` demands an "oa" or a "mini"."""
        token = request.args.get("access_token", "")
        if not token:
            raise AccountError(41001)
        row = self._tokens.get(token)
        if row is None:
            raise AccountError(40001)
        if row["expires"] <= self._ground.epoch():
            raise AccountError(42001)
        app = self._ground.apps[row["app_id"]]
        if kind and app.kind != kind:
            raise AccountError(48001)
        return app

    def forget(self, app_id: str) -> None:
        """Make every token of an app invalid at once: somebody else refreshed it."""
        with self._ground.lock:
            for token, row in list(self._tokens.items()):
                if row["app_id"] == app_id:
                    del self._tokens[token]

    def _caller(self, args: Any) -> App:
        if args.get("grant_type") != "client_credential":
            raise AccountError(40002)
        app = check_secret(self._ground, args)
        if app.ip_whitelist and request.remote_addr not in app.ip_whitelist:
            raise AccountError(40164, f"ip {request.remote_addr}")
        return app

    def _mint(self, series: str, app: App) -> Response:
        token = secrets.token_urlsafe(102)
        row = {"token": token, "app_id": app.app_id, "expires": self._ground.epoch() + LIFE_S}
        self._tokens.put(token, row)
        self._current.put(f"{series}:{app.app_id}", {**row, "minted": self._ground.epoch()})
        return answer({"access_token": token, "expires_in": LIFE_S})

    def _shorten(self, current: dict[str, Any] | None) -> None:
        """The token before lives on for five minutes at most."""
        old = self._tokens.get(current["token"]) if current else None
        if old:
            self._tokens.put(old["token"], {**old, "expires": min(old["expires"], self._ground.epoch() + OVERLAP_S)})

    def _may_force(self, app: App, current: dict[str, Any]) -> bool:
        if self._ground.epoch() - current["minted"] < FORCE_GAP_S:
            return False
        try:
            self._count(f"force:{app.app_id}", self._ground.settings.force_refresh_day_quota)
        except AccountError:
            return False
        return True

    def _count(self, what: str, quota: int) -> None:
        if self._ground.number(f"{what}:{shanghai_date(self._ground.now())}") > quota:
            raise AccountError(45009)


def check_secret(ground: Ground, args: Any) -> App:
    """The app of `appid`, if `secret` is its secret."""
    if not args.get("appid"):
        raise AccountError(41002)
    app = ground.app(str(args["appid"]))
    if not args.get("secret"):
        raise AccountError(41004)
    if not secrets.compare_digest(str(args["secret"]).encode(), app.secret.encode()):
        raise AccountError(40125)
    return app


def json_body() -> dict[str, Any]:
    """The request's JSON object, or WeChat's error for an empty or malformed one."""
    if not request.get_data():
        raise AccountError(44002)
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise AccountError(47001)
    return body


def text(body: dict[str, Any], name: str) -> str:
    """A text of a JSON object; "" for anything else."""
    value = body.get(name)
    return value if isinstance(value, str) else ""
