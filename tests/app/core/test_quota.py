"""Never more than n in any window, whatever threads, processes and clocks do."""

from __future__ import annotations

import heapq
import multiprocessing
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.core import quota
from app.core.quota import Budget
from app.core.steady import database_now
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
        now = database_now(session)
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
        quota.release(session, mine, "a", database_now(session) + 50 * SECOND)
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
        now = database_now(session)
        quota.take(session, mine, "a", 50 * SECOND)
        quota.take(session, mine, "b", 50 * SECOND)
        quota.give_back(session, mine, "b")
        assert promised_s(session, mine, now) == [0, 11, 11, 22], "a request under way is expected to be answered"
        quota.lose(session, mine, "a")
        assert promised_s(session, mine, now) == [0, 11, 22, 33], "a lost one holds its slot to the end"


def promised_s(session: Session, mine: Budget, now: datetime) -> list[int]:
    promised = [quota.expected_at(session, mine, place, 1.0) for place in (1, 2, 3, 4)]
    return [round((at - now).total_seconds()) for at in promised if at]


def test_an_owners_slots_are_kept_for_it_and_lent_while_it_is_idle(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        mine = opened(session, replace(budget(4, 30), shares={"A": 1, "B": 2}))
        take = partial(quota.take, session, mine, hold=SECOND)
        assert [take(holder="a1", owner="A", kept=["A", "B"]), take(holder="a2", owner="A", kept=["A", "B"])] == [1, 4]
        assert take(holder="a3", owner="A", kept=["A", "B"]) is None, "B waits for its own"
        assert take(holder="a3", owner="A", kept=["A"]) in (2, 3), "B is idle"
        assert take(holder="b1", owner="B", kept=["A", "B"]) in (2, 3)
        assert take(holder="b2", owner="B", kept=["A", "B"]) is None
        frees = quota.expected_free(session, mine, 0.5, "B")
        assert len(frees) == 2 and len(quota.expected_free(session, mine, 0.5, "nobody")) == 4


def test_shares_may_change_and_must_fit(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        opened(session, replace(budget(3, 30), shares={"A": 1, "B": 2}))
        opened(session, replace(budget(3, 30), shares={"A": 2}))
        owners = session.scalars(sqlalchemy.select(quota.QuotaSlot.owner).order_by(quota.QuotaSlot.no)).all()
        assert owners == ["A", "A", None]
        opened(session, budget(3, 30))
        assert session.scalars(sqlalchemy.select(quota.QuotaSlot.owner).order_by(quota.QuotaSlot.no)).all() == owners
        for shares in ({"A": 4}, {"A": 0}):
            with pytest.raises(ValueError, match="shares"):
                quota.open_budget(session, replace(budget(3, 30), shares=shares))


def test_the_observed_answer_time_is_the_95th_percentile(engine: sqlalchemy.Engine) -> None:
    with Session(engine) as session:
        mine = opened(session, budget(20, 5))
        assert quota.answer_s(session, mine) is None
        for number in range(1, 21):
            quota.take(session, mine, str(number), 50 * SECOND)
            quota.release(session, mine, str(number), database_now(session) + number * SECOND)
        assert round(quota.answer_s(session, mine) or 0) == 19


@given(frees=st.lists(st.integers(0, 200), min_size=1, max_size=5), turn=st.integers(1, 70), places=st.integers(1, 40))
def test_the_nth_free_slot_is_that_of_a_queue(frees: list[int], turn: int, places: int) -> None:
    """As if each slot were taken the moment it is free, and free again a turn later."""
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    heap, served = sorted(frees), []
    for _ in range(places):
        served.append(heapq.heappushpop(heap, heap[0] + turn))
    at = [noon + timedelta(seconds=free) for free in frees]
    found = [quota.nth_free(at, timedelta(seconds=turn), place) for place in range(1, places + 1)]
    assert [(one - noon).total_seconds() for one in found] == served


def greedy(url: str, everybody: Any, seed: int, arrivals: Any) -> None:
    """Take whenever possible, let the request travel for a while, release what its answer proves. As an agent does,
    send nothing once the time is over for which the slot is held: on a busy machine any sleep may last longer."""
    dice, mine, hold = random.Random(seed), budget(5, 0.5), 0.2 * SECOND
    engine = sqlalchemy.create_engine(url)
    count = 0
    everybody.wait(120)  # a new process takes a while to begin
    end_s = time.monotonic() + 2.5
    while time.monotonic() < end_s:
        name = f"{seed}-{count}"
        with Session(engine) as session:
            deadline = database_now(session) + hold
            taken = quota.take(session, mine, name, hold)
            session.commit()
        if taken is None:
            time.sleep(0.005)
            continue
        count += 1
        time.sleep(dice.uniform(0, 0.05))
        with Session(engine) as session:
            arrived_at = database_now(session)
            if arrived_at < deadline:
                arrivals.put(arrived_at.timestamp())
            time.sleep(dice.uniform(0, 0.05))
            if dice.random() < 0.8:  # the rest lose their answer
                quota.release(session, mine, name, database_now(session))
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
