from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from datetime import time as daytime
from typing import Any

import pytest

from app.core import tasks
from app.core.clock import Clock
from app.core.tasks import Lease
from app.core.work import Runtime
from tests.app.kit import run, value
from workers import schedule
from workers.bell import Bell
from workers.context import Context
from workers.schedule import Daily, Every


class Listener(Bell):
    """Hears what the sweeper rings for, and what of it first."""

    def __init__(self) -> None:
        self.heard: list[list[str]] = []
        self.first: list[str] = []

    def again(self, kinds: Iterable[str], *, first: Collection[str] = ()) -> None:
        self.heard.append(sorted(kinds))
        self.first += first


@pytest.fixture
def listener(here: Context, monkeypatch: pytest.MonkeyPatch) -> Listener:
    monkeypatch.setattr(here, "bell", Listener())
    return here.bell  # type: ignore[return-value]


@pytest.fixture
def rung(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    monkeypatch.setattr(schedule, "EVERY", (Every("a.kind", 2), Every("b.kind", 10)))
    monkeypatch.setattr(schedule, "DAILY", ())
    return listener.heard


def test_what_happens_by_the_clock_is_written_once_and_rung(
    runtime: Runtime, here: Context, rung: list[list[str]]
) -> None:
    last: dict[str, float] = {}
    for now_s in (0.0, 0.5, 1.0):
        schedule.tick(here, last, now_s)
    assert value(runtime, "SELECT count(*) FROM task") == 2
    assert rung == [["a.kind", "b.kind"]] * 3
    run(runtime, "DELETE FROM task")
    for now_s in (2.5, 3.0):
        schedule.tick(here, last, now_s)
    assert value(runtime, "SELECT string_agg(kind, ',') FROM task") == "a.kind"


def test_a_task_in_work_does_not_hold_back_the_next(runtime: Runtime, here: Context, rung: list[list[str]]) -> None:
    schedule.tick(here, {}, 0.0)
    run(runtime, "UPDATE task SET lease = 1")
    schedule.tick(here, {}, 0.0)
    assert value(runtime, "SELECT count(*) FROM task") == 4


def test_whatever_is_due_is_rung_for_again(runtime: Runtime, here: Context, rung: list[list[str]]) -> None:
    with runtime.work() as work:
        work.later("lost.ring", None)
    schedule.tick(here, {"a.kind": 0, "b.kind": 0}, 1.0)
    assert rung == [["lost.ring"]]


def test_what_a_dead_worker_held_is_rung_for_first(
    runtime: Runtime, here: Context, listener: Listener, rung: list[list[str]]
) -> None:
    with runtime.work() as work:
        work.later("held.kind", None)
        work.later("other.kind", None)
    run(runtime, "UPDATE task SET lease = 1 WHERE kind = 'held.kind'")
    schedule.tick(here, {"a.kind": 0, "b.kind": 0}, 1.0)
    assert (rung, listener.first) == ([["held.kind", "other.kind"]], ["held.kind"])


def test_a_workers_death_ends_the_rest(runtime: Runtime, here: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "SWEEP_S", 60.0)
    lease, started = Lease(runtime.settings.database_url), time.monotonic()
    key = lease.hold()
    with runtime.read() as session:
        living = tasks.live_leases(session)
    lease.drop()
    assert key in living and here.lease.key in living
    assert schedule._rest(here, living, started) == living - {key}
    assert time.monotonic() < started + schedule.SWEEP_S, "it was not the sweep that ended it"


def test_two_schedulers_start_a_nightly_run_once(
    runtime: Runtime, here: Context, rung: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "EVERY", ())
    monkeypatch.setattr(schedule, "DAILY", (Daily("night.kind", daytime(0, 0)), Daily("never.kind", daytime.max)))
    for _ in range(3):
        schedule.tick(here, {}, 0.0)
    rows: Any = run(runtime, "SELECT kind, args FROM task")
    today = Clock().today().isoformat()
    assert [tuple(row) for row in rows] == [("night.kind", {"day": today})]


def test_with_a_date_held_by_hand_nothing_starts_by_itself(
    runtime: Runtime, here: Context, rung: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "EVERY", ())
    monkeypatch.setattr(schedule, "DAILY", (Daily("night.kind", daytime(0, 0)),))
    monkeypatch.setattr(runtime, "clock", Clock(Clock().today()))
    schedule.tick(here, {}, 0.0)
    assert value(runtime, "SELECT count(*) FROM task") == 0
