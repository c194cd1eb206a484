"""The people with phones: one WeChat user each, another openid in every app, one unionid per open platform."""

from __future__ import annotations

import base64
import copy
import hashlib
from typing import Any

from mock_wechat.entries import App
from mock_wechat.errors import PhoneError
from mock_wechat.ground import Ground

NEW: dict[str, Any] = {"follows": {}, "blocks": [], "balance_fen": None}


class People:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._table = ground.table("user")
        self._by_openid: dict[tuple[str, str], str] = {}
        for user in self._table:
            self._index(user)

    def add(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Create a user: `name`, `phone`, optional `user`, `id_no`, `openid` (in the first app), `openids`.

        `balance_fen` None pays anything. The same `user` again changes the name, phone and number it is given.
        """
        with self._ground.lock:
            user = entry.get("user") or f"u{self._ground.number('user'):06d}"
            given = dict(entry.get("openids") or {})
            if entry.get("openid"):
                given.setdefault(next(iter(self._ground.apps)), entry["openid"])
            row = self._table.get(user) or {"user": user, "openids": {}, **copy.deepcopy(NEW)}
            row |= {name: entry[name] for name in ("name", "phone", "id_no", "balance_fen") if name in entry}
            made = {app_id: _pseudonym("o", app_id, user) for app_id in self._ground.apps}
            row["openids"] = {**made, **row["openids"], **given}
            platforms = [app.open_platform for app in self._ground.apps.values()]
            row["unionids"] = {platform: _pseudonym("u", platform, user) for platform in platforms}
            row["unionid"] = next(iter(row["unionids"].values()), "")
            self._table.put(user, row)
            self._index(user)
            return row

    def _index(self, user: str) -> None:
        for app_id, openid in self._table[user]["openids"].items():
            self._by_openid[app_id, openid] = user

    def get(self, user: str) -> dict[str, Any]:
        if user not in self._table:
            raise PhoneError(404, "user_unknown", "没有这个微信用户")
        return self._table[user]

    def all(self) -> list[dict[str, Any]]:
        return list(self._table.values())

    def save(self, row: dict[str, Any]) -> None:
        self._table.put(row["user"], row)

    def openid(self, user: str, app: App) -> str:
        return str(self.get(user)["openids"][app.app_id])

    def unionid(self, user: str, app: App) -> str:
        return str(self.get(user)["unionids"][app.open_platform])

    def find(self, app_id: str, openid: str) -> str | None:
        """The user behind an openid of that app; None for another app's openid."""
        return self._by_openid.get((app_id, openid))

    def follow(self, user: str, app: App, on: bool) -> bool:
        """Follow or unfollow; whether that changed anything."""
        with self._ground.lock:
            row = self.get(user)
            if on == (app.app_id in row["follows"]):
                return False
            if on:
                row["follows"][app.app_id] = self._ground.epoch()
            else:
                del row["follows"][app.app_id]
            self.save(row)
            return True

    def follows(self, user: str, app: App) -> int | None:
        """When the user began to follow (epoch seconds), or None."""
        since: int | None = self.get(user)["follows"].get(app.app_id)
        return since


def _pseudonym(letter: str, scope: str, user: str) -> str:
    """28 characters, stable for the pair, telling nothing about the person."""
    digest = hashlib.sha256(f"{scope}|{user}".encode()).digest()
    return letter + base64.urlsafe_b64encode(digest).decode()[:27]
