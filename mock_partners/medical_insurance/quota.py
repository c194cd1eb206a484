"""The interface's own limit: at most n trials in any window, every arrival written down, also those it refuses."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from mock_partners.memory import Table


@dataclass(frozen=True)
class Limit:
    """n arrivals in any `window_s` seconds: arrivals i and i+n lie at least the window apart."""

    n: int
    window_s: float


class Gate:
    def __init__(self, arrivals: Table, limit: Limit) -> None:
        self._arrivals, self.limit = arrivals, limit
        self._lock = threading.Lock()
        self._recent: deque[int] = deque((row["at_ms"] for row in list(arrivals.values())[-10_000:]), maxlen=10_000)

    def arrive(self, at_ms: int, msgid: str) -> dict[str, Any]:
        """Write down an arrival: its time, never before the last one's, and whether it is accepted or one too many."""
        with self._lock:
            at_ms = max(at_ms, self._recent[-1] if self._recent else at_ms)
            full = len(self._recent) >= self.limit.n
            accepted = not (full and at_ms - self._recent[-self.limit.n] < self.limit.window_s * 1000)
            self._recent.append(at_ms)
            row = {"at_ms": at_ms, "msgid": msgid, "accepted": accepted}
            self._arrivals.put(f"{len(self._arrivals):09d}", row)
            return row

    def rows(self) -> list[dict[str, Any]]:
        """All arrivals in order: at_ms (epoch), msgid, accepted."""
        return list(self._arrivals.values())

    def was_accepted(self, msgid: str) -> bool:
        """What was said to the last arrival under this message id."""
        return next((bool(row["accepted"]) for row in reversed(self.rows()) if row["msgid"] == msgid), True)
