"""What one decision of the quota costs beside one PostgreSQL round trip that leaves as much behind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from app.core import quota
from app.core.quota import Budget
from bench.ground import Ground, libpq, runtime_on

NO_TIME = timedelta(0)


@dataclass(frozen=True)
class Decision:
    """Median seconds of each; `ratio` is how many decisions are made in the time of one round trip."""

    decision_s: float
    round_trip_s: float
    refusal_s: float
    select_s: float

    @property
    def ratio(self) -> float:
        return self.round_trip_s / self.decision_s


def time_decisions(ground: Ground, template_url: str, count: int) -> Decision:
    """A decision takes one of n slots, durably. The round trip writes one row, durably, on a bare connection. Both take
    turns, one by one. A refusal (no slot is free) stands beside a bare SELECT."""
    database_url = ground.new_database(template_url)
    runtime = runtime_on(database_url)
    free, busy = Budget("bench", 100, NO_TIME), Budget("busy", 100, timedelta(hours=1))
    try:
        with runtime.work() as work:
            quota.open_budget(work.session, free)
            quota.open_budget(work.session, busy)
            for number in range(busy.n):
                quota.take(work.session, busy, f"held{number}", NO_TIME)
        with psycopg.connect(libpq(database_url), autocommit=True) as bare, runtime.read() as session:
            bare.execute("CREATE TABLE bench_row (id int PRIMARY KEY, at timestamptz)")
            bare.execute("INSERT INTO bench_row VALUES (1, now())")
            return _take_turns(
                count,
                lambda: quota.take(session, free, "somebody", NO_TIME),
                lambda: bare.execute("UPDATE bench_row SET at = clock_timestamp() WHERE id = %s", [1]),
                lambda: quota.take(session, busy, "somebody", NO_TIME),
                lambda: bare.execute("SELECT 1").fetchall(),
            )
    finally:
        runtime.database.dispose()
        ground.drop(database_url)


def _take_turns(count: int, *arms: Callable[[], object]) -> Decision:
    seconds: list[list[float]] = [[] for _ in arms]
    for _ in range(count):
        for arm, spent in zip(arms, seconds, strict=True):
            begin = time.perf_counter()
            arm()
            spent.append(time.perf_counter() - begin)
    return Decision(*map(statistics.median, seconds))
