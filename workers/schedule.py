"""What happens by the clock, as data; and the sweeper, which rings for whatever is due."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import time as daytime

from sqlalchemy import insert, literal, select
from sqlalchemy.exc import DBAPIError

from app.core import schedule, tasks
from app.core.clock import SHANGHAI
from app.core.log import get_log
from app.core.tasks import Task
from workers.context import Context

SWEEP_S = 0.5
LEAST_SWEEP_S = 0.02
WATCH_S = 0.1  # so soon a worker's death is seen
log = get_log(__name__)


@dataclass(frozen=True)
class Every:
    kind: str
    seconds: float


@dataclass(frozen=True)
class Daily:
    """Once for each business date after `at` (Shanghai); a missed day is caught up at the next start."""

    kind: str
    at: daytime


EVERY = (
    Every("audit.seal", 2),
    Every("claim.late", 60),
    Every("exchange.overdue", 1),
    Every("identity.sweep", 15),
    Every("registration.sweep", 15),
    Every("settlement.promises", 15),
    Every("settlement.sweep", 15),
    Every("appointment.sweep", 60),
    Every("notification.sweep", 3600),
)
DAILY: tuple[Daily, ...] = (
    Daily("reconciliation.night", daytime(1, 30)),
    Daily("reconciliation.funds_night", daytime(10, 30)),
    Daily("identity.list_ties", daytime(3, 30)),
)


def run(here: Context, stop: object) -> None:
    """Sweep and tick until `stop.is_set()`, earlier where a task is due earlier: whoever waits in a regulated line is
    admitted when the slot is free, and not at the next sweep; and at once where a worker has died. Any number of
    schedulers may run."""
    last: dict[str, float] = {}
    living: set[int] = set()
    while not stop.is_set():  # type: ignore[attr-defined]
        started = time.monotonic()
        try:
            tick(here, last, started)
            living = _rest(here, living, started)
        except DBAPIError as error:
            log.warning("schedule_waits", error=type(error.orig).__name__)
            time.sleep(SWEEP_S)


def _rest(here: Context, living: set[int], started: float) -> set[int]:
    """Until the next sweep, or until one of the `living` leases has ended; those that live then."""
    with here.runtime.read() as session:
        soonest_s = tasks.soonest_due_s(session)
    end = started + (SWEEP_S if soonest_s is None else min(SWEEP_S, soonest_s))
    while True:
        time.sleep(max(LEAST_SWEEP_S, min(WATCH_S, end - time.monotonic())))
        with here.runtime.read() as session:
            now = tasks.live_leases(session)
        if living - now or time.monotonic() >= end:
            return now
        living = living | now


def tick(here: Context, last: dict[str, float], now_s: float) -> None:
    """One round: periodic tasks whose time has come, daily runs, then a ring for every kind that is due."""
    due = [every.kind for every in EVERY if now_s - last.get(every.kind, -1e9) >= every.seconds]
    with here.runtime.work() as work:
        for kind in due:
            _write_once(work.session, kind)
            last[kind] = now_s
        if work.clock.fixed_date is None:
            _start_daily(work)
    with here.runtime.read() as session:
        kinds = tasks.due_kinds(session)
    if kinds:
        here.bell.again(kinds, first=[kind for kind, abandoned in kinds.items() if abandoned])


def _write_once(session: object, kind: str) -> None:
    """A periodic task that is still waiting is not written again."""
    waiting = select(Task.id).where(Task.kind == kind, Task.status == "due", Task.lease.is_(None))
    new = select(literal(kind), literal({}, Task.args.type)).where(~waiting.exists())
    session.execute(insert(Task).from_select(["kind", "args"], new))  # type: ignore[attr-defined]


def _start_daily(work: object) -> None:
    """With a business date held by hand, nightly runs are started by hand too."""
    now = work.now.astimezone(SHANGHAI)  # type: ignore[attr-defined]
    for daily in DAILY:
        if now.time() >= daily.at and schedule.claim(work.session, now.date(), daily.kind):  # type: ignore[attr-defined]
            work.later(daily.kind, None, args={"day": now.date().isoformat()})  # type: ignore[attr-defined]
