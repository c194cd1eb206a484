"""The task that applies a batch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from app.core import tasks
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.exchange.service import OpenBatch
from app.gateways import Gateways
from app.record import rules, service

_hospital = attrgetter("party_id")


def apply_batches(runtime: Runtime, _: Gateways, jobs: Sequence[Job]) -> None:
    """Apply the batches that `jobs` are about in one transaction, each hospital's as one. Those with rows whose parent
    is in a batch still under way are tried again for a while.

    A batch that cannot be opened or applied spoils them all: then the drain does each alone.
    """
    with runtime.work() as work:
        opened = exchange.open_batches(work, list(dict.fromkeys(job.subject for job in jobs)))
        # Hospitals in one order everywhere: each is locked until the commit.
        for _hospital_id, theirs in groupby(sorted(opened, key=_hospital), _hospital):
            batches = list(theirs)
            for batch, verdicts in zip(batches, service.apply(work, batches), strict=True):
                exchange.settle_batch(work, batch.id, verdicts)
                if service.any_waits(verdicts):
                    _try_later(work, batch, [job for job in jobs if job.subject == batch.id])


def _try_later(work: Work, batch: OpenBatch, jobs: Sequence[Job]) -> None:
    waited = work.now - batch.received_at
    if waited < rules.PARENT_PATIENCE:
        for job in jobs:
            tasks.postpone(work.session, job, None, run_at=work.now + rules.parent_pause(waited))
