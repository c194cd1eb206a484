"""One LISTEN connection per process wakes every long poll that waits in it.

The connection is opened by the first wait and given up when nobody has waited for a while. While it is lost, waiters
wake at short intervals instead and look for themselves.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from uuid import UUID

import psycopg

from app.core.log import get_log
from app.exchange.wake import CHANNEL

FALLBACK_S = 0.25
IDLE_S = 30.0
RECONNECT_S = 0.5
_TICK_S = 1.0
log = get_log(__name__)


class Listener:
    """Knows who waits for which party."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://")
        self._lock = threading.Lock()
        self._waiters: dict[str, set[threading.Event]] = {}
        self._thread: threading.Thread | None = None
        self._last_wait = 0.0
        self.connected = False

    @contextmanager
    def waiting(self, party_id: UUID) -> Iterator[Waiter]:
        """Register before looking for work, so that nothing can come between the look and the wait."""
        event = threading.Event()
        with self._lock:
            self._waiters.setdefault(str(party_id), set()).add(event)
            self._last_wait = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="exchange-listener", daemon=True)
                self._thread.start()
        try:
            yield Waiter(self, event)
        finally:
            with self._lock:
                waiters = self._waiters[str(party_id)]
                waiters.discard(event)
                if not waiters:
                    del self._waiters[str(party_id)]

    def _run(self) -> None:
        while True:
            try:
                return self._listen()
            except psycopg.Error as error:
                log.warning("listener_lost", error=type(error).__name__)
                self.connected = False
                self._wake(None)  # from now on they look for themselves
                time.sleep(RECONNECT_S)
                if not self._wanted(0):
                    return None

    def _listen(self) -> None:
        """Until nobody has waited for a while."""
        with psycopg.connect(
            self._url, autocommit=True, connect_timeout=5, keepalives_idle=5, keepalives_interval=2, keepalives_count=2
        ) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self.connected = True
            self._wake(None)  # what came while nobody listened
            while self._wanted(IDLE_S):
                for note in connection.notifies(timeout=_TICK_S):
                    self._wake(note.payload)

    def _wanted(self, idle_s: float) -> bool:
        """False, `idle_s` after the last wait began, ends this thread; the next wait starts another."""
        with self._lock:
            wanted = bool(self._waiters) or time.monotonic() - self._last_wait < idle_s
            if not wanted:
                self._thread, self.connected = None, False
            return wanted

    def _wake(self, party_id: str | None) -> None:
        with self._lock:
            found = self._waiters.values() if party_id is None else [self._waiters.get(party_id, set())]
            for event in [event for events in found for event in events]:
                event.set()


class Waiter:
    def __init__(self, listener: Listener, event: threading.Event) -> None:
        self._listener, self._event = listener, event

    def wait(self, timeout_s: float) -> None:
        """Until there may be something new, at most `timeout_s` seconds."""
        self._event.wait(timeout_s if self._listener.connected else min(timeout_s, FALLBACK_S))
        self._event.clear()


def listener(database_url: str) -> Listener:
    """This process's listener; a forked child makes its own."""
    return _listener(database_url, os.getpid())


@lru_cache(maxsize=16)
def _listener(database_url: str, _pid: int) -> Listener:
    return Listener(database_url)
