"""What the phones received: every message that reached a person, in order."""

from __future__ import annotations

from typing import Any

from mock_wechat.ground import Ground
from mock_wechat.times import rfc3339


class Inbox:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._table = ground.table("inbox")

    def add(self, user: str, app_id: str, kind: str, content: dict[str, Any]) -> str:
        """Keep a message (`kind`: template, subscribe, custom, reply, pay, notice); its number."""
        with self._ground.lock:
            key = f"{self._ground.number('inbox'):09d}"
            at = rfc3339(self._ground.now())
            self._table.put(key, {"no": key, "user": user, "app_id": app_id, "kind": kind, "at": at, **content})
            return key

    def of(self, user: str, app_id: str = "") -> list[dict[str, Any]]:
        rows = [row for row in self._table.values() if row["user"] == user]
        return [row for row in rows if not app_id or row["app_id"] == app_id]

    def count(self) -> int:
        return len(self._table)

    def newest_since(self, count: int, user: str) -> dict[str, Any] | None:
        """The newest message to a user among those added after the first `count`."""
        rows = [row for row in list(self._table.values())[count:] if row["user"] == user]
        return rows[-1] if rows else None
