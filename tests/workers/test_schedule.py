from __future__ import annotations

from datetime import time as daytime
from typing import Any

import pytest

from app.core.clock import Clock
from app.core.work import Runtime
from tests.app.kit import run, value
from workers import schedule
from workers.context import Context
from workers.schedule import Daily, Every


@pytest.fixture
def rung(here: Context, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    heard: list[list[str]] = []
    monkeypatch.setattr(here, "bell", lambda kinds: heard.append(sorted(kinds)))
    monkeypatch.setattr(schedule, "EVERY", (Every("a.kind", 2), Every("b.kind", 10)))
    monkeypatch.setattr(schedule, "DAILY", ())
    return heard


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
