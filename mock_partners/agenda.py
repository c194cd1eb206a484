"""What a double still has to do: durable items with a due time, worked off one after the other by a thread.

An item survives a restart of the double, because it stands in one of its tables until it is done.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from mock_partners.memory import Table

log = logging.getLogger(__name__)

RETRY_S = 1.0
Handler = Callable[[str, dict[str, Any]], float | None]
"""Does one item (key, body); returns None when it is done, or the seconds until it wants to be called again."""


class Agenda:
    """Items are worked off earliest first. `start` reads what the table still holds."""

    def __init__(self, table: Table, handler: Handler) -> None:
        self._table, self._handler = table, handler
        self._heap: list[tuple[float, int, str]] = []
        self._count = 0
        self._working: set[str] = set()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stopped = False

    def start(self) -> None:
        for key, item in self._table.items():
            self._push(key, item["due_at"])
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(10)

    def put(self, key: str, body: dict[str, Any], *, in_s: float = 0.0) -> None:
        due_at = time.time() + in_s
        self._table.put(key, {"due_at": due_at, "body": body})
        self._push(key, due_at)

    def cancel(self, key: str) -> None:
        self._table.pop(key, None)

    def idle(self) -> bool:
        with self._changed:
            return not self._table and not self._working

    def _push(self, key: str, due_at: float) -> None:
        with self._changed:
            self._count += 1
            heapq.heappush(self._heap, (due_at, self._count, key))
            self._changed.notify()

    def _run(self) -> None:
        while (key := self._take()) is not None:
            item = self._table.get(key)
            if item is not None and item["due_at"] <= time.time():
                self._settle(key, item, self._work(key, item["body"]))
            with self._changed:
                self._working.discard(key)

    def _settle(self, key: str, item: dict[str, Any], again_in_s: float | None) -> None:
        """Drop what is done, put off what is not; leave alone what was put anew meanwhile."""
        with self._changed:
            if self._table.get(key) is not item:
                return
            if again_in_s is None:
                del self._table[key]
            else:
                self.put(key, item["body"], in_s=again_in_s)

    def _take(self) -> str | None:
        with self._changed:
            while not self._stopped:
                wait_s = self._heap[0][0] - time.time() if self._heap else None
                if wait_s is not None and wait_s <= 0:
                    key = heapq.heappop(self._heap)[2]
                    self._working.add(key)
                    return key
                self._changed.wait(wait_s)
            return None

    def _work(self, key: str, body: dict[str, Any]) -> float | None:
        try:
            return self._handler(key, body)
        except Exception:
            log.exception("item of the agenda failed and is tried again")
            return RETRY_S
