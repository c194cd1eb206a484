"""Take due tasks of one kind, do them, and go on until there are none or the time is up."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from app.core import tasks
from app.core.errors import CommitUnknown, Fenced, PartnerFault, Problem, Tampered, TryLater
from app.core.log import get_log
from app.core.tasks import Job
from workers.context import Context, context
from workers.kinds import KINDS, Desk

# Short, so that what a killed worker held waits for no other kind of work for long.
TURN_S = 0.5
log = get_log(__name__)


def drain(kind: str) -> None:
    """The RQ job. Works at most TURN_S seconds, then rings again so that other kinds get their turn."""
    here = context()
    here.bell.answered(kind)
    if drain_with(here, kind):
        here.bell({kind})


def drain_with(here: Context, kind: str, *, turn_s: float = TURN_S) -> bool:
    """True if the time was up before the work was done."""
    desk = KINDS[kind]
    end = time.monotonic() + turn_s
    done: list[Job] = []
    more = not desk.shared
    while time.monotonic() < end:
        with here.runtime.work() as work:
            if done:
                tasks.finish_left(work.session, done)
            jobs = tasks.take(work.session, kind, here.lease.hold(), desk.batch)
        if not jobs:
            return False
        if desk.shared:  # the next one is another RQ job's, whoever is free to take it
            end = 0.0
            here.bell({kind})
        well = _do_batch(here, desk, jobs) if desk.all is not None else _do_each(here, desk, jobs)
        done = [job for job in well if not job.finished]
        if len(jobs) < desk.batch:  # who has added one since has rung for it
            more = False
            break
    if done:
        with here.runtime.work() as work:
            tasks.finish_left(work.session, done)
    return more


def _do_each(here: Context, desk: Desk, jobs: list[Job]) -> list[Job]:
    """The jobs whose handler raised nothing."""
    if desk.threads > 1 and len(jobs) > 1:
        with ThreadPoolExecutor(desk.threads) as pool:
            done = list(pool.map(lambda job: _do_one(here, desk, job), jobs))
    else:
        done = [_do_one(here, desk, job) for job in jobs]
    return [job for job, well in zip(jobs, done, strict=True) if well]


def _do_one(here: Context, desk: Desk, job: Job) -> bool:
    assert desk.one is not None
    try:
        desk.one(here.runtime, here.gateways, job)
        return True
    except Fenced:
        log.info("task_taken_over", kind=job.kind, task=job.id)
    except TryLater as wait:
        _wait(here, job, wait.delay_s)
    except Exception as error:  # whatever it was, the task must be given back or buried, and the rest go on
        _give_back(here, desk, job, error)
    return False


def _do_batch(here: Context, desk: Desk, jobs: list[Job]) -> list[Job]:
    assert desk.all is not None
    try:
        desk.all(here.runtime, here.gateways, jobs)
        return jobs
    except Fenced:
        log.info("tasks_taken_over", kind=jobs[0].kind, tasks=len(jobs))
    except Exception as error:  # as above
        if len(jobs) > 1:
            return _do_singly(here, desk, jobs)
        _give_back(here, desk, jobs[0], error)
    return []


def _do_singly(here: Context, desk: Desk, jobs: list[Job]) -> list[Job]:
    """After a failure of all together: the one that failed them fails alone. One that had been done is fenced off."""
    return [job for job in jobs if _do_batch(here, desk, [job])]


def _wait(here: Context, job: Job, delay_s: float) -> None:
    with here.runtime.work() as work:
        tasks.postpone(work.session, job, None, run_at=work.now + timedelta(seconds=delay_s))


def _give_back(here: Context, desk: Desk, job: Job, error: Exception) -> None:
    """Postpone with backoff, or bury what is permanent or was tried too often, with its cause."""
    permanent = (isinstance(error, PartnerFault) and error.permanent) or isinstance(error, Tampered)
    permanent = permanent or _is_refusal(error)
    bury = (permanent or job.tries >= desk.max_tries) and not isinstance(error, CommitUnknown)
    level = log.error if bury else log.warning
    expected = isinstance(error, PartnerFault | Problem | CommitUnknown)
    level("task_failed", kind=job.kind, task=job.id, tries=job.tries, dead=bury, error=_cause(error),
          exc_info=None if expected else error)  # fmt: skip
    run_at = None if bury else here.runtime.clock.now() + timedelta(seconds=tasks.backoff_s(job.tries))
    with here.runtime.work() as work:
        tasks.postpone(work.session, job, _cause(error), run_at=run_at, bury=bury)


def _is_refusal(error: Exception) -> bool:
    """A rule said no: asking again gives the same answer. A lost race may be won next time."""
    return isinstance(error, Problem) and error.status not in (409, 429, 503)


def _cause(error: Exception) -> str:
    """What stands in the task row: never the text of an unexpected error, which might hold personal data."""
    told = isinstance(error, PartnerFault | Problem | Tampered)
    return f"{type(error).__name__}: {error}" if told else type(error).__name__
