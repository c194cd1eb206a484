from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.core import tasks
from app.core.errors import Fenced
from app.core.tasks import Job, Lease
from app.core.work import Runtime
from tests.app.kit import Thread, run, value

ROOT = Path(__file__).resolve().parents[3]
KIND = "audit.seal"


@pytest.fixture
def lease(runtime: Runtime) -> Iterator[Lease]:
    lease = Lease(runtime.settings.database_url)
    yield lease
    lease.drop()


def put(runtime: Runtime, count: int, in_s: float = 0) -> list[UUID]:
    """Due tasks in one commit each."""
    subjects = [uuid4() for _ in range(count)]
    for subject in subjects:
        with runtime.work() as work:
            work.later(KIND, subject, run_at=work.now + timedelta(seconds=in_s))
    return subjects


def take(runtime: Runtime, lease: Lease, limit: int = 100) -> list[Job]:
    with runtime.work() as work:
        return tasks.take(work.session, KIND, lease.hold(), limit)


def take_when_free(runtime: Runtime, lease: Lease) -> list[Job]:
    """What another worker held: the database notices its end a moment later."""
    end_s = time.monotonic() + 60
    while not (jobs := take(runtime, lease)):
        assert time.monotonic() < end_s, "nobody can take them over"
        time.sleep(0.01)
    return jobs


def finish(runtime: Runtime, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs):
        pass


def test_tasks_are_taken_oldest_first_and_once(runtime: Runtime, lease: Lease) -> None:
    subjects = put(runtime, 5)
    first = take(runtime, lease, 2)
    assert [job.subject for job in first] == subjects[:2]
    assert [(job.kind, job.tries, job.fence) for job in first] == [(KIND, 1, 1)] * 2
    assert [job.subject for job in take(runtime, lease)] == subjects[2:]
    assert take(runtime, lease) == []


def test_a_finished_task_is_gone(runtime: Runtime, lease: Lease) -> None:
    put(runtime, 3)
    jobs = take(runtime, lease)
    finish(runtime, jobs[:2])
    with runtime.work() as work:
        tasks.finish_left(work.session, jobs)
    assert value(runtime, "SELECT count(*) FROM task") == 0


def test_what_is_not_due_waits(runtime: Runtime, lease: Lease) -> None:
    put(runtime, 1, in_s=3600)
    assert take(runtime, lease) == []
    with runtime.read() as session:
        assert tasks.due_kinds(session) == {}
        wait = tasks.next_due_in(session, KIND)
    assert wait is not None and 3590 < wait.total_seconds() <= 3600
    run(runtime, "UPDATE task SET run_at = now()")
    assert len(take(runtime, lease)) == 1


def test_two_workers_never_take_the_same(runtime: Runtime) -> None:
    put(runtime, 60)

    leases = [Lease(runtime.settings.database_url) for _ in range(3)]

    def take_all(mine: Lease) -> list[int]:
        found = []
        while jobs := take(runtime, mine, 7):
            found += [job.id for job in jobs]
        return found

    threads = [Thread(partial(take_all, mine)) for mine in leases]
    taken = [one for thread in threads for one in thread.result()]
    assert len(taken) == len(set(taken)) == 60
    for lease in leases:
        lease.drop()


WORKER = """
    import sys, time
    from app.core import tasks
    from app.core.settings import Settings
    from app.core.tasks import Lease
    from app.wiring import make_runtime
    runtime = make_runtime(Settings(database_url=sys.argv[1]), routes={}, ring=lambda kinds: None)
    lease = Lease(sys.argv[1])
    with runtime.work() as work:
        jobs = tasks.take(work.session, "audit.seal", lease.hold(), 100)
    print(*[job.id for job in jobs], flush=True)
    time.sleep(60)
"""


def test_a_killed_workers_tasks_go_on(runtime: Runtime, lease: Lease) -> None:
    subjects = put(runtime, 3)
    argv = [sys.executable, "-c", textwrap.dedent(WORKER), runtime.settings.database_url]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as worker:
        assert worker.stdout is not None
        assert len(worker.stdout.readline().split()) == 3
        assert take(runtime, lease) == []
        worker.kill()
        jobs = take_when_free(runtime, lease)
    assert [job.subject for job in jobs] == subjects
    assert {(job.tries, job.fence) for job in jobs} == {(2, 2)}


def test_a_worker_that_was_only_frozen_cannot_finish_what_was_taken_over(runtime: Runtime, lease: Lease) -> None:
    put(runtime, 2)
    frozen = Lease(runtime.settings.database_url)
    late = take(runtime, frozen)
    frozen.drop()
    mine = take_when_free(runtime, lease)
    with pytest.raises(Fenced):
        finish(runtime, late)
    with runtime.work() as work:
        tasks.finish_left(work.session, late)
        tasks.postpone(work.session, late[0], "late", run_at=work.now)
    assert value(runtime, "SELECT count(*) FROM task WHERE last_error IS NULL AND lease IS NOT NULL") == 2
    finish(runtime, mine)


def test_what_a_fenced_worker_wrote_is_undone(runtime: Runtime, lease: Lease) -> None:
    put(runtime, 1)
    frozen = Lease(runtime.settings.database_url)
    late = take(runtime, frozen)
    frozen.drop()
    take_when_free(runtime, lease)
    with pytest.raises(Fenced), runtime.work(finish=late) as work:
        work.audit("harm", "task", uuid4())
    assert value(runtime, "SELECT count(*) FROM audit_entry") == 0


def test_a_lost_lease_is_held_again_under_a_new_key(runtime: Runtime, lease: Lease) -> None:
    before = lease.hold()
    assert lease.hold() == before
    end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key"
    run(runtime, end, key=before)
    after = lease.hold()
    assert after != before
    assert value(runtime, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key", key=after) == 1


def test_a_postponed_task_is_due_later_and_a_wait_is_no_try(runtime: Runtime, lease: Lease) -> None:
    put(runtime, 2)
    failed, waiting = take(runtime, lease)
    with runtime.work() as work:
        soon = work.now - timedelta(seconds=1)
        tasks.postpone(work.session, failed, "PartnerFault: x", run_at=soon)
        tasks.postpone(work.session, waiting, None, run_at=soon)
    tries = {job.id: job.tries for job in take(runtime, lease)}
    assert tries == {failed.id: 2, waiting.id: 1}


def test_a_dead_task_keeps_its_cause_until_it_is_replayed(runtime: Runtime, lease: Lease) -> None:
    put(runtime, 1)
    (job,) = take(runtime, lease)
    with runtime.work() as work:
        tasks.postpone(work.session, job, "PartnerFault: gone", run_at=None, bury=True)
    assert take(runtime, lease) == []
    assert value(runtime, "SELECT status || ' ' || last_error FROM task") == "dead PartnerFault: gone"
    with runtime.work() as work:
        assert tasks.replay(work.session, job.id) is True
        assert tasks.replay(work.session, job.id) is False
    (again,) = take(runtime, lease)
    assert (again.id, again.tries) == (job.id, 1)


def test_what_will_be_due_soon_is_told_by_its_subject(runtime: Runtime, lease: Lease) -> None:
    (now,), (soon,), (dead,) = put(runtime, 1), put(runtime, 1, in_s=5), put(runtime, 1)
    put(runtime, 1, in_s=60)
    run(runtime, "UPDATE task SET status = 'dead' WHERE subject = :id", id=dead)
    with runtime.read() as session:
        assert tasks.subjects_due(session, KIND, timedelta(seconds=15)) == {now, soon}
        assert tasks.subjects_due(session, "other.kind", timedelta(seconds=15)) == set()


def test_the_wait_grows_and_stays_under_its_bound() -> None:
    for tries in range(1, 20):
        base = min(2.0 ** (tries - 1), 300)
        assert all(base <= tasks.backoff_s(tries) <= base * 1.5 for _ in range(20))
    assert len({tasks.backoff_s(5) for _ in range(20)}) > 1


def test_no_more_are_taken_than_asked_for_whatever_plan_the_database_makes(runtime: Runtime, lease: Lease) -> None:
    put(runtime, 6)
    with runtime.work() as work:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize"):
            work.session.execute(text(f"SET LOCAL enable_{way} = off"))
        assert len(tasks.take(work.session, KIND, lease.hold(), 4)) == 4
