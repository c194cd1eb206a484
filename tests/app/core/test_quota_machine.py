"""Never more than n arrivals in any window of true time, whatever is taken, answered, lost, killed, and however the
database's clock steps: the real quota on PostgreSQL against a model that knows the true time.

Time passes, or the clock steps, by moving everything that was written down; the machine's steady clock sees only the
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import quota, steady
from app.core.quota import Budget
from app.core.steady import database_now
from tests.examples import costly

# Few slots and round times, so that what would go wrong is met soon.
N, WINDOW_S, HOLD_S = 1, 60.0, 20.0
HOLD = timedelta(seconds=HOLD_S)
MINE = Budget("trial:machine", N, timedelta(seconds=WINDOW_S))
MOVE = text("UPDATE quota_slot SET free_at = free_at - make_interval(secs => :s),"
            " taken_at = taken_at - make_interval(secs => :s)")  # fmt: skip
TURN = text("UPDATE clock_anchor SET least_s = least_s - :s, most_s = most_s - :s")


@dataclass
class Request:
    """Under way: when it truly arrives (None: it never leaves), and what was noted of its answer in the database's
    clock."""

    name: str
    arrives_s: float | None
    noted: datetime | None = None


@dataclass
class Bench:
    engine: sqlalchemy.Engine
    arrivals: list[float] = field(default_factory=list)


bench: Bench | None = None


class Quota(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        assert bench is not None
        self.session = Session(bench.engine)
        self.passed_s, self.count = 0.0, 0
        self.arrivals: list[float] = []
        self.open: list[Request] = []

    def teardown(self) -> None:
        self.session.close()

    def true_s(self) -> float:
        return steady.this_machine().clock() + self.passed_s

    @initialize()
    def begin(self) -> None:
        self.session.execute(text("DELETE FROM quota_slot"))
        self.session.execute(text("DELETE FROM clock_anchor"))
        steady.step(self.session, MINE.name)
        quota.open_budget(self.session, MINE)
        self.session.commit()

    @rule(seconds=st.sampled_from([1, 19, 59, 81]))
    def time_passes(self, seconds: float) -> None:
        self.passed_s += seconds
        self._move(seconds)
        self.session.commit()
        self._admit(0.0)

    @rule(seconds=st.sampled_from([-100, -30, 30, 61]))
    def the_databases_clock_steps(self, seconds: float) -> None:
        self._move(seconds)
        self.session.execute(TURN, {"s": seconds})
        self.session.commit()
        self._admit(0.0)

    def _move(self, seconds: float) -> None:
        self.session.execute(MOVE, {"s": seconds})
        for request in self.open:
            if request.noted is not None:
                request.noted -= timedelta(seconds=seconds)

    @rule(
        delay_s=st.sampled_from([0.0, 0.0, 10.0, HOLD_S - 1, None]),
        killed=st.sampled_from([False, False, False, True]),
    )
    def admit(self, delay_s: float | None, killed: bool) -> None:
        self._admit(delay_s, killed=killed)

    def _admit(self, delay_s: float | None, *, killed: bool = False) -> None:
        """A greedy worker with nothing in memory; one that is killed before its commit leaves and sends nothing."""
        step = steady.step(self.session, MINE.name)
        if step:
            quota.wait_out(self.session, MINE, step, HOLD)
        self.count += 1
        name = str(self.count)
        taken = quota.take(self.session, MINE, name, HOLD)
        if killed:
            self.session.rollback()
            return
        self.session.commit()
        if taken is not None:
            arrives_s = None if delay_s is None else self.true_s() + delay_s
            self.open.append(Request(name, arrives_s))
            if arrives_s is not None:
                self.arrivals.append(arrives_s)

    def _arrived(self) -> list[Request]:
        now_s = self.true_s()
        return [one for one in self.open if one.arrives_s is not None and one.arrives_s <= now_s]

    @precondition(lambda self: any(one.noted is None for one in self._arrived()))
    @rule(data=st.data(), slop_s=st.sampled_from([0.0, 5.0]), heard=st.booleans())
    def an_answer_is_noted(self, data: st.DataObject, slop_s: float, heard: bool) -> None:
        """It is stamped with the database's clock, less what the interface says it took."""
        request = data.draw(st.sampled_from([one for one in self._arrived() if one.noted is None]))
        assert request.arrives_s is not None
        ago_s = max(self.true_s() - request.arrives_s - slop_s, 0)
        request.noted = database_now(self.session) - timedelta(seconds=ago_s)
        if heard:
            self._hear(request)

    @precondition(lambda self: any(one.noted is not None for one in self.open))
    @rule(data=st.data())
    def an_answer_is_heard(self, data: st.DataObject) -> None:
        self._hear(data.draw(st.sampled_from([one for one in self.open if one.noted is not None])))

    def _hear(self, request: Request) -> None:
        assert request.noted is not None
        quota.release(self.session, MINE, request.name, request.noted)
        self.session.commit()
        self.open.remove(request)

    @precondition(lambda self: any(one.arrives_s is None for one in self.open))
    @rule(data=st.data())
    def a_request_was_never_sent(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from([one for one in self.open if one.arrives_s is None]))
        quota.give_back(self.session, MINE, request.name)
        self.session.commit()
        self.open.remove(request)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def an_answer_is_lost(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.open))
        quota.lose(self.session, MINE, request.name)
        self.session.commit()
        self.open.remove(request)

    @invariant()
    def at_most_n_arrive_in_any_window(self) -> None:
        times = sorted(self.arrivals)
        for first, last in zip(times, times[N:], strict=False):
            assert last - first >= WINDOW_S - 0.001, [round(at - times[0], 2) for at in times]


@pytest.fixture
def stage(fresh_database_url: str) -> Iterator[None]:
    global bench
    bench = Bench(sqlalchemy.create_engine(fresh_database_url))
    yield
    bench.engine.dispose()
    bench = None


def test_no_window_holds_more_than_n(stage: None) -> None:
    run_state_machine_as_test(
        Quota,
        settings=settings(costly, stateful_step_count=20),
    )
