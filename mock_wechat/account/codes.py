"""One-time codes that a phone brings back: of the web login, the mini-program login and the phone number button."""

from __future__ import annotations

import secrets
from typing import Any

from mock_wechat.entries import App
from mock_wechat.errors import AccountError
from mock_wechat.ground import Ground

LIFE_S = 300


class Codes:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._table = ground.table("code")

    def issue(self, kind: str, app: App, user: str, **more: Any) -> str:
        """A code of `kind` oauth, login or phone; single use, five minutes."""
        code = "0" + secrets.token_hex(15) + secrets.choice("wxy")
        expires = self._ground.epoch() + LIFE_S
        row = {"kind": kind, "app_id": app.app_id, "user": user, "expires": expires, "used": False, **more}
        self._table.put(code, row)
        return code

    def redeem(self, kind: str, app: App, code: str | None) -> dict[str, Any]:
        """What the code was issued for; 40029 if it is not one or too old, 40163 if it was used."""
        if not code:
            raise AccountError(41008)
        with self._ground.lock:
            row = self._table.get(code)
            if row is None or row["kind"] != kind or row["app_id"] != app.app_id:
                raise AccountError(40029)
            if row["used"]:
                raise AccountError(40163)
            if row["expires"] <= self._ground.epoch():
                raise AccountError(40029)
            self._table.put(code, {**row, "used": True})
            return row
