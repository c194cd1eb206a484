"""What a double remembers across restarts, and its own time."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


class VirtualClock:
    """The double's time: the real one plus an offset that only grows."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset_s)

    def advance(self, seconds: float) -> None:
        self.offset_s += seconds


class Table(MutableMapping[str, dict[str, Any]]):
    """A dict of JSON objects kept in memory and written through to SQLite. `put` after changing a value in place."""

    def __init__(self, memory: Memory, name: str) -> None:
        self._memory, self._name = memory, name
        self._rows: dict[str, dict[str, Any]] = memory.load(name)

    def put(self, key: str, row: dict[str, Any]) -> None:
        self._rows[key] = row
        self._memory.save(self._name, key, row)

    __setitem__ = put

    def __getitem__(self, key: str) -> dict[str, Any]:
        return self._rows[key]

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._memory.drop(self._name, key)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rows))

    def __len__(self) -> int:
        return len(self._rows)


class Memory:
    """Where the tables of one double are written through to; nowhere without a path."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS row (tab TEXT, key TEXT, body TEXT, PRIMARY KEY (tab, key))")

    def load(self, tab: str) -> dict[str, dict[str, Any]]:
        with self._lock:
            rows = self._db.execute("SELECT key, body FROM row WHERE tab = ? ORDER BY rowid", (tab,)).fetchall()
        return {key: json.loads(body) for key, body in rows}

    def save(self, tab: str, key: str, row: dict[str, Any]) -> None:
        with self._lock:
            self._db.execute(
                "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (tab, key) DO UPDATE SET body = excluded.body",
                (tab, key, json.dumps(row, ensure_ascii=False)),
            )

    def drop(self, tab: str, key: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM row WHERE tab = ? AND key = ?", (tab, key))

    def close(self) -> None:
        with self._lock:
            self._db.close()
