from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.errors import CommitUnknown, Conflict, Invalid, PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime
from app.gateways import Gateways
from tests.app.kit import DrainAll, run, value
from workers.context import Context
from workers.drain import drain_with
from workers.kinds import KINDS, Desk

KIND = "test.kind"
Handle = Callable[[Runtime, Gateways, Job], None]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[UUID]]:
    """Put a handler behind the kind; answers the list of subjects it was called with."""

    def put(handle: Handle, **how: Any) -> list[UUID]:
        called: list[UUID] = []

        def one(runtime: Runtime, gateways: Gateways, job: Job) -> None:
            called.append(job.subject)
            handle(runtime, gateways, job)

        monkeypatch.setitem(KINDS, KIND, Desk(one=one, **how))
        return called

    return put


def put_tasks(runtime: Runtime, count: int = 1) -> list[UUID]:
    subjects = [uuid4() for _ in range(count)]
    with runtime.work() as work:
        for subject in subjects:
            work.later(KIND, subject)
    return subjects


def raising(error: Exception) -> Handle:
    def handle(*_: object) -> None:
        raise error

    return handle


def only_task(runtime: Runtime) -> Any:
    (task,) = run(runtime, "SELECT status, tries, last_error, run_at, lease FROM task")
    return task


def test_a_handler_that_raises_nothing_is_done(
    runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]]
) -> None:
    called, subjects = desk(lambda *_: None, batch=3), put_tasks(runtime, 7)
    drain_all()
    assert called == subjects
    assert value(runtime, "SELECT count(*) FROM task") == 0


def test_a_handler_may_finish_its_task_with_its_effect(
    runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]]
) -> None:
    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            work.audit("done", "test", job.subject)

    desk(handle)
    put_tasks(runtime, 2)
    drain_all()
    assert value(runtime, "SELECT count(*) FROM audit_entry") == 2
    assert value(runtime, "SELECT count(*) FROM task") == 0


def test_a_batch_is_handled_in_one_call(runtime: Runtime, drain_all: DrainAll, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setitem(KINDS, KIND, Desk(all=lambda r, g, jobs: sizes.append(len(jobs)), batch=4))
    put_tasks(runtime, 6)
    drain_all()
    assert sizes == [4, 2]


def test_one_that_fails_its_batch_fails_alone(
    runtime: Runtime, drain_all: DrainAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects, done = put_tasks(runtime, 5), list[UUID]()

    def handle(_: Runtime, __: Gateways, jobs: list[Job]) -> None:
        if subjects[1] in [job.subject for job in jobs]:
            raise PartnerFault("bank", "x")
        done.extend(job.subject for job in jobs)

    monkeypatch.setitem(KINDS, KIND, Desk(all=handle, batch=5))
    drain_all()
    assert done == [subjects[0], *subjects[2:]]
    (left,) = run(runtime, "SELECT subject, status, tries FROM task")
    assert tuple(left) == (subjects[1], "due", 1)


@pytest.mark.parametrize(
    "error", [PartnerFault("bank", "x"), Conflict("state_changed", ""), RuntimeError("13800138000")]
)
def test_a_temporary_failure_is_tried_again_later_and_dies_in_the_end(
    runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]], error: Exception
) -> None:
    called = desk(raising(error), max_tries=3)
    put_tasks(runtime)
    drain_all()
    task = only_task(runtime)
    assert (task.status, task.tries, task.lease) == ("due", 1, None)
    assert task.run_at > datetime.now(UTC)
    assert type(error).__name__ in task.last_error and "13800138000" not in task.last_error
    for _ in range(5):
        drain_all(hurry=True)
    assert (only_task(runtime).status, len(called)) == ("dead", 3)


@pytest.mark.parametrize("error", [PartnerFault("bank", "x", permanent=True), Invalid("never", "不行")])
def test_a_final_refusal_is_not_tried_again(
    runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]], error: Exception
) -> None:
    called = desk(raising(error))
    put_tasks(runtime)
    drain_all()
    assert (only_task(runtime).status, len(called)) == ("dead", 1)


def test_a_wait_is_no_try(runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]]) -> None:
    called = desk(raising(TryLater(30)), max_tries=2)
    put_tasks(runtime)
    for _ in range(4):
        drain_all(hurry=True)
    task = only_task(runtime)
    assert (task.status, task.tries, task.last_error, len(called)) == ("due", 0, None, 4)
    assert (task.run_at - datetime.now(UTC)).total_seconds() > 25


def test_an_unknown_commit_never_buries(runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]]) -> None:
    desk(raising(CommitUnknown()), max_tries=1)
    put_tasks(runtime)
    drain_all()
    assert only_task(runtime).status == "due"


def test_one_that_fails_does_not_hold_up_the_rest(
    runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]]
) -> None:
    subjects = put_tasks(runtime, 5)

    def handle(_: Runtime, __: Gateways, job: Job) -> None:
        if job.subject == subjects[1]:
            raise PartnerFault("bank", "x")

    for threads in (1, 3):
        called = desk(handle, threads=threads)
        drain_all()
        assert only_task(runtime).status == "due"
        assert subjects[1] in called
        subjects[2:] = put_tasks(runtime, 3)
        run(runtime, "UPDATE task SET run_at = now()")


def test_a_turn_ends_though_there_is_more(runtime: Runtime, here: Context, desk: Callable[..., list[UUID]]) -> None:
    called = desk(lambda *_: None, batch=1)
    put_tasks(runtime, 3)
    assert drain_with(here, KIND, turn_s=0) is True
    assert called == []
    assert drain_with(here, KIND) is False
    assert len(called) == 3


def test_what_was_taken_over_is_left_alone(
    runtime: Runtime, drain_all: DrainAll, desk: Callable[..., list[UUID]]
) -> None:
    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        run(runtime, "UPDATE task SET fence = fence + 1, run_at = now() + interval '1 hour', lease = NULL")
        with runtime.work(finish=[job]) as work:
            work.audit("harm", "test", job.subject)

    desk(handle)
    put_tasks(runtime)
    drain_all()
    assert value(runtime, "SELECT count(*) FROM audit_entry") == 0
    assert only_task(runtime).status == "due"


def test_what_is_added_meanwhile_is_left_to_its_own_ring(
    runtime: Runtime, here: Context, desk: Callable[..., list[UUID]]
) -> None:
    """Behind a batch that was not full nothing waits but what was added since, and has rung."""
    added: list[UUID] = []

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        if not added:
            added.extend(put_tasks(runtime))

    called, subjects = desk(handle, batch=3), put_tasks(runtime, 2)
    assert drain_with(here, KIND) is False
    assert called == subjects
    assert drain_with(here, KIND) is False
    assert called == subjects + added
    assert value(runtime, "SELECT count(*) FROM task") == 0
