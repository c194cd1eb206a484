"""The short day on real processes, disturbed while it runs: what it comes to must not change."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from app.core.embedded import Postgres
from demo import expect, result, stack
from demo.database import plain
from demo.day import claims, payouts, script, visits
from demo.day.context import opened
from demo.place import Options, Place
from demo.services import ProgramFailed
from demo.stack import Stack

DAY = date(2026, 3, 5)
PATIENTS = 8
LONG_S = 600.0
# What the undisturbed day of this date and size comes to, beside what its hospitals' data alone say.
UNDISTURBED = {
    "claims": {"submitted": 9, "approved": 6, "rejected": 1, "paid": 5},
    "payout_fen": 1234071,
    "menus": 2,
    "notices": 74,
}
KILLED_IN = ("register", "settlements", "claims", "payouts")
FLUSHED_IN = ("book", "visits", "settlements", "claims", "payouts", "night")
Disturb = Callable[[str, Stack], None]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits only end a hang: on a busy machine workers that were killed take minutes to come back."""
    monkeypatch.setattr(claims, "CLAIM_PATIENCE_S", LONG_S)
    monkeypatch.setattr(payouts, "PAYOUT_PATIENCE_S", LONG_S)
    monkeypatch.setattr(visits, "PUSH_PATIENCE_S", LONG_S)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(Options(DAY, PATIENTS, data=tmp_path))
    yield place
    place.release()
    Postgres(place.path / "postgres").remove()  # as root its data stand outside the directory


def test_workers_killed_and_redis_flushed_in_mid_day_change_nothing(place: Place, patient: None) -> None:
    killed: list[str] = []

    def disturb(stage: str, running: Stack) -> None:
        if stage in KILLED_IN:
            _aside(lambda: killed.append(_kill_busy_worker(running)))
        if stage in FLUSHED_IN:
            _aside(lambda: _flush(running))

    _require_same(_play(place, disturb))
    assert len(killed) >= 3, "no worker was killed while it had a task in hand"


def _play(place: Place, disturb: Disturb) -> tuple[dict[str, Any], list[str]]:
    with stack.started(place, lambda what: None) as running, opened(running) as day:
        seconds = script.play(day, lambda stage: disturb(stage, running))
        found = result.collect(running, seconds)
        urls = [hospital["his_database_url"] for hospital in running.world["hospitals"]]
        expected = expect.expected(running.people, expect.builtin_records(urls))
        return found, result.broken(found, expected)


def _require_same(played: tuple[dict[str, Any], list[str]]) -> None:
    found, problems = played
    assert not problems
    assert {name: found[name] for name in UNDISTURBED} == UNDISTURBED
    assert found["max_in_window"] <= 10


def _aside(disturb: Callable[[], object]) -> None:
    """A moment after the stage has begun, when it is in full swing."""
    threading.Timer(0.3, disturb).start()


def _kill_busy_worker(running: Stack) -> str:
    """SIGKILL for a worker as soon as a task is in some worker's hands."""
    deadline = time.monotonic() + 60
    with psycopg.connect(plain(running.database_url), autocommit=True) as db:
        while time.monotonic() < deadline:
            if db.execute("SELECT FROM task WHERE lease IS NOT NULL AND status = 'due' LIMIT 1").fetchone() is not None:
                for name in stack.WORKERS:
                    with suppress(ProgramFailed):  # it is being started again
                        running.supervisor.kill(name, signal.SIGKILL)
                return "killed"
    raise AssertionError("nobody worked")


def _flush(running: Stack) -> None:
    with redis.Redis.from_url(running.redis_url) as client:
        client.flushall()
