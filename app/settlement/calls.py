"""What follows the line's clock, the interface's answers and payments."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.gateways import Gateways
from app.identity import service as identity
from app.settlement import admission, asking, moving, promises, queries, rules, synchronising, trials
from app.settlement.trials import ADMIT

STAY_S = 10.0  # then other work gets its turn
Handler = Callable[[Runtime, Gateways, Job], None]


def admit(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    """Several wishes to admit at one interface are one. A slot that is free in a moment is waited for here, with no
    session open: no other way takes it so soon."""
    stay_until = time.monotonic() + STAY_S
    waiting = sorted({job.subject for job in jobs})
    while waiting:
        may_stay = time.monotonic() < stay_until
        free_in_s = {one: _admit_some(runtime, one, may_stay=may_stay) for one in waiting}
        soon = {one: wait_s for one, wait_s in free_in_s.items() if wait_s is not None}
        waiting = sorted(soon)
        time.sleep(min(soon.values(), default=0.0))


def _admit_some(runtime: Runtime, interface_id: UUID, *, may_stay: bool) -> float | None:
    """Admit whom there is a slot for, a few in one transaction; seconds to wait here for the next one, None if a task
    comes back for it."""
    with runtime.work() as work:
        free_in_s = admission.admit(work, interface_id, at_once=rules.ADMITTED_AT_ONCE)
        if free_in_s is None or (may_stay and free_in_s <= rules.LEAD.total_seconds()):
            return free_in_s
        come_at = work.now + timedelta(seconds=free_in_s) - rules.LEAD
        work.later(ADMIT, interface_id, run_at=max(work.now, come_at))
    return None


def sweep(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    """Nobody waits because a task was lost, or lies in a future that a step of the clock has put off, or because the
    hospital settles elsewhere now."""
    with runtime.work(finish=jobs) as work:
        moving.move_lines(work)
        for interface_id in sorted({interface_id for interface_id, _ in queries.lines(work.session)}):
            work.later(ADMIT, interface_id)


def trials_answered(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    """The answers that came together have their effect together."""
    with runtime.work(finish=jobs) as work:
        trials.trials_answered(work, exchange.answers(work, [job.subject for job in jobs]))


def unbound(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Event `identity.unbound`; the subject is the binding. A claim that led to nothing has no person."""
    with runtime.work(finish=[job]) as work:
        tie = identity.bound_pair(work.session, job.subject)
        if tie.person_id is not None:
            asking.tie_ended(work, tie.person_id)


def look_at_promises(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        promises.look(work)


def on_answer(then: Callable[[Work, CommandAnswer], None]) -> Handler:
    """The task that follows `exchange.answered.*`."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            then(work, exchange.answer(work, job.subject))

    return handle


def on_payment(then: Callable[[Work, UUID], None]) -> Handler:
    """The task that follows `payment.*`: events come for every purpose, only ours is for us."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            if job.args["purpose"] == "settlement":
                then(work, UUID(job.args["subject"]))

    return handle


def on_time(then: Callable[[Work, UUID], None]) -> Handler:
    """A task about one settlement whose time has come."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            then(work, job.subject)

    return handle


def tell_again(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        synchronising.tell_again(work, job.subject, hospital=bool(job.args["hospital"]))
