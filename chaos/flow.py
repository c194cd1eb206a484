"""Registrations that flow at a pace: new ones are booked while few enough are under way."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import psycopg

from bench.arrivals import Arrivals
from bench.stack import Stack

# So many may be under way at once: work for every process, and a queue that a kill can meet.
UNDER_WAY = 400
CHUNK = 50
_DONE = "SELECT count(*) FROM registration WHERE status IN ('registered', 'failed')"
_OPEN = "SELECT count(*) FROM command WHERE lane = 'registration' AND status IN ('open', 'fetched')"


class Flow:
    """`booked` of `total` were accepted."""

    def __init__(self, running: Stack) -> None:
        self.total, self.booked = 0, 0
        self._running, self._since = running, datetime.now(UTC)
        self.arrivals = Arrivals(running.runtime, running.hospital_id)
        self.arrivals.open_slot()
        self.db: psycopg.Connection[tuple[int]] = psycopg.connect(running.database_url, autocommit=True)

    def expect(self, more: int) -> int:
        """So many more are to be registered; how many are by now."""
        self.total += more
        return self.done

    @property
    def done(self) -> int:
        return self._one(_DONE)

    @property
    def open_commands(self) -> int:
        return self._one(_OPEN)

    def look_from_now_on(self) -> None:
        """From now on `has_moved` looks for what a worker does; somebody arrives, so that there is something to do."""
        self._since = datetime.now(UTC)
        if count := min(CHUNK, self.total - self.booked):
            self.arrivals.book(self.arrivals.people(count))
            self.booked += count

    def has_moved(self) -> bool:
        """A worker has let somebody in, asked for somebody, or noted an answer."""
        query = b"SELECT count(*) FROM registration WHERE status_since > %s"
        row = self.db.execute(query, [self._since]).fetchone()
        return bool(row and row[0])

    def feed(self) -> int:
        """Book what the pace allows; how many are registered by now."""
        done = self.done
        while self.booked < self.total and self.booked - done < UNDER_WAY:
            count = min(CHUNK, self.total - self.booked)
            self.arrivals.book(self.arrivals.people(count))
            self.booked += count
        return done

    def finish(self, patience_s: float = 120.0) -> None:
        """Until everything is registered, or nothing has moved for so long."""
        last, since = -1, time.monotonic()
        while (done := self.feed()) < self.total and time.monotonic() - since < patience_s:
            self._running.supervisor.check()
            if done != last:
                last, since = done, time.monotonic()
            time.sleep(0.1)

    def _one(self, query: str) -> int:
        row = self.db.execute(query.encode()).fetchone()
        return row[0] if row else 0
