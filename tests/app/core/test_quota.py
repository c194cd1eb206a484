"""Never more than n in any window, whatever threads, processes and clocks do."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.orm import Session

from app.core import quota
from app.core.quota import Budget
from tests.app.kit import Thread

SECOND = timedelta(seconds=1)


@pytest.fixture
def engine(fresh_database_url: str) -> Iterator[sqlalchemy.Engine]:
    engine = sqlalchemy.create_engine(fresh_database_url, pool_size=10)
    yield engine
    engine.dispose()


def budget(n: int = 3, window_s: float = 1.0) -> Budget:
    return Budget("trial:test", n, timedelta(seconds=window_s))


def opened(session: Session, wanted: Budget) -> Budget:
    quota.open_budget(session, wanted)
    session.commit()
    return wanted


def test_n_are_taken_and_no_more_until_a_window_has_passed(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        mine = opened(session, budget(3, 0.3))
        assert {quota.take(session, mine, str(i), timedelta(0)) for i in range(3)} == {1, 2, 3}
        session.commit()
        assert quota.take(session, mine, "late", timedelta(0)) is None
        assert quota.free_now(session, mine) == 0
        time.sleep(0.35)
        assert quota.take(session, mine, "late", timedelta(0)) is not None


def test_a_slot_is_held_for_the_worst_case_and_an_answer_shortens_it(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        mine = opened(session, budget(1, 10))
        quota.take(session, mine, "a", 20 * SECOND)
        now = quota.database_now(session)
        assert 29 < (quota.next_free(session, mine)[0] - now).total_seconds() <= 30
        quota.release(session, mine, "a", now - 4 * SECOND)
        assert 5.9 < (quota.next_free(session, mine)[0] - now).total_seconds() <= 6
        quota.release(session, mine, "a", now - 100 * SECOND)
        assert quota.free_now(session, mine) == 0, "only its holder frees a slot, and once"


def test_a_release_never_makes_a_slot_later(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        mine = opened(session, budget(1, 1))
        quota.take(session, mine, "a", timedelta(0))
        before = quota.next_free(session, mine)[0]
        quota.release(session, mine, "a", quota.database_now(session) + 50 * SECOND)
        assert quota.next_free(session, mine)[0] == before


def test_two_tries_of_one_patient_hold_two_slots(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        mine = opened(session, budget(2, 5))
        for name in ("try-1", "try-2"):
            quota.take(session, mine, name, 20 * SECOND)
        quota.give_back(session, mine, "try-2")
        assert quota.free_now(session, mine) == 1


def test_slots_that_are_added_wait_a_window_and_slots_above_n_are_not_used(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        opened(session, budget(1, 30))
        more = opened(session, budget(3, 30))
        assert quota.free_now(session, more) == 1
        assert quota.take(session, more, "a", timedelta(0)) == 1
        assert quota.take(session, more, "b", timedelta(0)) is None
    with Session(engine) as session:
        assert quota.free_now(session, Budget("never used", 7, SECOND)) == 7


def test_promises_count_full_turns(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        assert quota.expected_at(session, budget(), 1, 0.5) is None
        mine = opened(session, budget(2, 10))
        now = quota.database_now(session)
        quota.take(session, mine, "a", 5 * SECOND)
        promised = [quota.expected_at(session, mine, place, 1.0) for place in (1, 2, 3, 4)]
        in_s = [round((at - now).total_seconds()) for at in promised if at]
        assert in_s == [0, 15, 11, 26]


def test_a_step_of_the_databases_clock_is_noticed(engine: sqlalchemy.Engine) -> None:
    ticks = iter([100.0, 100.0, 100.01, 100.02, 40.0, 40.0])
    with Session(engine) as session:
        watch = quota.Watch(monotonic=lambda: next(ticks))
        assert watch.step(session) == timedelta(0)
        assert watch.step(session) == timedelta(0)
        assert 59 < watch.step(session).total_seconds() < 61, "the process saw 60 seconds less than the database"


def greedy(url: str, everybody: Any, seed: int, arrivals: Any) -> None:
    """Take whenever possible, let the request travel for a while, release what its answer proves."""
    dice, mine = random.Random(seed), budget(5, 0.5)
    engine = sqlalchemy.create_engine(url)
    count = 0
    everybody.wait(120)  # a new process takes a while to begin
    end_s = time.monotonic() + 2.5
    while time.monotonic() < end_s:
        name = f"{seed}-{count}"
        with Session(engine) as session:
            taken = quota.take(session, mine, name, 0.2 * SECOND)
            session.commit()
        if taken is None:
            time.sleep(0.005)
            continue
        count += 1
        time.sleep(dice.uniform(0, 0.05))
        with Session(engine) as session:
            arrivals.put(quota.database_now(session).timestamp())
            time.sleep(dice.uniform(0, 0.05))
            if dice.random() < 0.8:  # the rest lose their answer
                quota.release(session, mine, name, quota.database_now(session))
            session.commit()
    engine.dispose()


def most_in_window(times: list[float], window_s: float) -> int:
    times = sorted(times)
    return max(sum(1 for t in times if start <= t < start + window_s) for start in times)


def test_greedy_processes_and_threads_together_never_exceed_n(
    engine: sqlalchemy.Engine, fresh_database_url: str
) -> None:
    with Session(engine) as session:
        opened(session, budget(5, 0.5))
    context = multiprocessing.get_context("spawn")
    arrivals = context.Queue()
    everybody = context.Barrier(5)
    processes = [
        context.Process(target=greedy, args=(fresh_database_url, everybody, seed, arrivals), daemon=True)
        for seed in range(2)
    ]
    for process in processes:
        process.start()
    threads = [Thread(partial(greedy, fresh_database_url, everybody, seed, arrivals)) for seed in (10, 11, 12)]
    for thread in threads:
        thread.result()
    for process in processes:
        process.join(120)
    times = [arrivals.get(timeout=1) for _ in range(arrivals.qsize())]
    assert len(times) > 15
    assert most_in_window(times, 0.5) <= 5
