"""A step of the database's clock is told once, to whoever looks first, also after kills and by another machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core import quota, steady
from app.core.quota import Budget
from app.core.steady import ClockAnchor, Machine, database_now

NOTHING = timedelta(0)


class Steady:
    """A machine whose own clock, seen from the database, can be made to lose time: the same as a step of the
    database's clock forwards."""

    def __init__(self, name: str) -> None:
        self.lost_s = 0.0
        self.machine = Machine(name, lambda: steady.this_machine().clock() - self.lost_s)


@pytest.fixture
def session(fresh_database_url: str) -> Iterator[Session]:
    engine = sqlalchemy.create_engine(fresh_database_url)
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_a_clock_that_runs_steadily_takes_no_step(session: Session) -> None:
    for _ in range(20):
        assert steady.step(session, "a") == NOTHING
        session.commit()


@pytest.mark.parametrize("step_s", [3600, 30, 0.4, -30])
def test_a_step_is_told_once_whoever_looks(session: Session, step_s: float) -> None:
    one, other = Steady("one"), Steady("other")
    assert steady.step(session, "a", one.machine) == steady.step(session, "a", other.machine) == NOTHING
    one.lost_s = other.lost_s = step_s
    told_s = steady.step(session, "a", other.machine).total_seconds()
    assert step_s - 0.001 <= told_s <= step_s + 0.3
    assert steady.step(session, "a", one.machine) == NOTHING
    assert steady.step(session, "a", other.machine) == NOTHING
    assert steady.step(session, "b", one.machine) == NOTHING


def test_a_killed_process_leaves_what_it_knew_to_the_next(session: Session) -> None:
    assert steady.step(session, "a") == NOTHING
    session.commit()
    back = {"least_s": ClockAnchor.least_s - 60, "most_s": ClockAnchor.most_s - 60}
    session.execute(update(ClockAnchor).values(back))
    assert 59.9 < steady.step(session, "a").total_seconds() < 61


def test_slots_wait_a_step_forwards_out_and_are_not_held_for_ever_by_one_backwards(session: Session) -> None:
    mine, hold = Budget("trial:test", 2, timedelta(seconds=60)), timedelta(seconds=20)
    quota.open_budget(session, mine)
    quota.take(session, mine, "under way", hold)
    quota.take(session, mine, "answered", hold)
    quota.release(session, mine, "answered", database_now(session))
    quota.wait_out(session, mine, timedelta(seconds=30), hold)
    assert waits_s(session, mine) == [90, 110]
    quota.wait_out(session, mine, timedelta(hours=-1), hold)
    assert waits_s(session, mine) == [60, 80]


def test_an_answer_stamped_before_a_step_frees_nothing_after_it(session: Session) -> None:
    mine, hold = Budget("trial:test", 1, timedelta(seconds=60)), timedelta(seconds=20)
    quota.open_budget(session, mine)
    quota.take(session, mine, "answered", hold)
    stamped = database_now(session) - timedelta(seconds=60)  # the clock steps a minute forwards
    quota.wait_out(session, mine, timedelta(seconds=60), hold)
    quota.release(session, mine, "answered", stamped)
    assert waits_s(session, mine) == [140]
    quota.wait_out(session, mine, timedelta(hours=-1), hold)
    assert waits_s(session, mine) == [80], "it may still arrive"


def waits_s(session: Session, mine: Budget) -> list[int]:
    now = database_now(session)
    return [round((at - now).total_seconds()) for at in quota.next_free(session, mine, 2)]
