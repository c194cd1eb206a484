"""The replay desk, and whether a task of a kind still stands for what a transaction has just written."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from app.core import dead_tasks, tasks
from app.core.work import Runtime
from tests.app.kit import run

KIND = "audit.seal"


@pytest.fixture
def subject(runtime: Runtime) -> UUID:
    """What one due task is about."""
    subject = uuid4()
    with runtime.work() as work:
        work.later(KIND, subject)
    return subject


def stands(runtime: Runtime, subject: UUID) -> bool:
    with runtime.work() as work:
        return dead_tasks.stands(work.session, KIND, subject)


def bury(runtime: Runtime) -> None:
    run(runtime, "UPDATE task SET status = 'dead', tries = 12, last_error = 'because'")


def test_a_task_that_is_to_begin_stands_and_one_in_work_does_not(runtime: Runtime, subject: UUID) -> None:
    assert stands(runtime, subject) and not stands(runtime, uuid4())
    with runtime.work() as work:
        assert not dead_tasks.stands(work.session, "claim.deliver", subject)
        tasks.take(work.session, KIND, 1, 10)
    assert not stands(runtime, subject), "it may have looked before"
    bury(runtime)
    run(runtime, "UPDATE task SET lease = NULL")
    assert stands(runtime, subject), "a dead one waits for a person"


def test_a_task_that_stands_begins_after_the_transaction_that_counts_on_it(runtime: Runtime, subject: UUID) -> None:
    with runtime.work() as first:
        assert dead_tasks.stands(first.session, KIND, subject)
        with runtime.work() as worker:
            assert tasks.take(worker.session, KIND, 1, 10) == []
        assert not stands(runtime, subject), "who comes second writes one of its own"
    with runtime.work() as worker:
        assert [job.subject for job in tasks.take(worker.session, KIND, 1, 10)] == [subject]


def test_the_dead_are_counted_listed_and_done_again(runtime: Runtime, subject: UUID) -> None:
    bury(runtime)
    with runtime.work() as work:
        work.later("claim.deliver", None)
    run(runtime, "UPDATE task SET status = 'dead'")
    with runtime.read() as session:
        newest, oldest = dead_tasks.dead(session, 10)
        assert [one.kind for one in (newest, oldest)] == ["claim.deliver", KIND]
        assert [one.id for one in dead_tasks.dead(session, 10, before=newest.id)] == [oldest.id]
        assert [one.id for one in dead_tasks.dead(session, 10, kind="claim.deliver")] == [newest.id]
        assert [one.id for one in dead_tasks.dead(session, 1)] == [newest.id]
        assert dead_tasks.count(session) == {KIND: 1, "claim.deliver": 1}
    with runtime.work() as work:
        assert dead_tasks.revive(work.session, KIND, uuid4()) == 0
        assert dead_tasks.revive(work.session, KIND, subject) == 1
        assert dead_tasks.replay(work, newest.id) is True
        assert dead_tasks.replay(work, newest.id) is False
        assert dead_tasks.replay(work, 10**15) is False
    assert run(runtime, "SELECT DISTINCT status, tries FROM task") == [("due", 0)]
