"""The task that applies a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from app.core import tasks
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.exchange.service import OpenBatch
from app.gateways import Gateways
from app.record import rules, service


def apply_batches(runtime: Runtime, _: Gateways, jobs: Sequence[Job]) -> None:
    """Apply the batches that `jobs` are about, each hospital's as one, in a transaction of its own: another worker has
    the next hospital meanwhile. Those with rows whose parent is in a batch still under way are tried again for a while.

    A batch that cannot be opened or applied ends the turn: then the drain does each alone. So it goes with one that is
    not there, which has no hospital.
    """
    with runtime.read() as session:
        hospitals = exchange.owners_of_batches(session, [job.subject for job in jobs])
    theirs: dict[UUID | None, list[Job]] = defaultdict(list)
    for job in jobs:
        theirs[hospitals.get(job.subject)].append(job)
    for its in theirs.values():
        with runtime.work() as work:
            _apply(work, its)


def _apply(work: Work, jobs: Sequence[Job]) -> None:
    batches = exchange.open_batches(work, list(dict.fromkeys(job.subject for job in jobs)))
    for batch, verdicts in zip(batches, service.apply(work, batches), strict=True):
        exchange.settle_batch(work, batch.id, verdicts)
        if service.any_waits(verdicts):
            _try_later(work, batch, [job for job in jobs if job.subject == batch.id])


def _try_later(work: Work, batch: OpenBatch, jobs: Sequence[Job]) -> None:
    waited = work.now - batch.received_at
    if waited < rules.PARENT_PATIENCE:
        for job in jobs:
            tasks.postpone(work.session, job, None, run_at=work.now + rules.parent_pause(waited))
