"""Every kind of task and who does it. tests/test_house.py holds this table against the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.audit import service as audit
from app.core.tasks import MAX_TRIES, Job
from app.core.work import Runtime
from app.exchange import service as exchange
from app.gateways import Gateways
from app.identity import sweep as identity_sweep
from app.identity.person import calls as person_calls


@dataclass(frozen=True)
class Desk:
    """How one kind is done: `one(runtime, gateways, job)` for each task or `all(runtime, gateways, jobs)` for a batch.

    The handler finishes its tasks in the transaction of their effects (`runtime.work(finish=[job])`); what it leaves
    unfinished without an error is finished by the drain. `threads` > 1 where a partner is waited for. After `max_tries`
    failures the task is dead and waits on the replay desk.
    """

    one: Callable[[Runtime, Gateways, Job], None] | None = None
    all: Callable[[Runtime, Gateways, list[Job]], None] | None = None
    batch: int = 50
    threads: int = 1
    max_tries: int = MAX_TRIES


def _seal_audit(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        audit.seal(work)


def _expire_commands(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        exchange.expire(work)


def _sweep_identity(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        identity_sweep.sweep(work)


KINDS: dict[str, Desk] = {
    "audit.seal": Desk(all=_seal_audit),
    "exchange.overdue": Desk(all=_expire_commands),
    "identity.ask_hospital": Desk(one=person_calls.ask_hospital),
    "identity.hospital_answered": Desk(one=person_calls.hospital_answered),
    "identity.sweep": Desk(all=_sweep_identity),
}
