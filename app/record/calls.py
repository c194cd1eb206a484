"""The task that applies a batch."""

from __future__ import annotations

from datetime import timedelta

from app.core.errors import TryLater
from app.core.tasks import Job
from app.core.work import Runtime
from app.exchange import service as exchange
from app.gateways import Gateways
from app.record import service

PARENT_WAIT = timedelta(minutes=10)
PARENT_PAUSE_S = 1.0


def apply_batch(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Apply the batch `job.subject`. Rows whose parent is in a batch still under way are tried again for a while."""
    with runtime.work() as work:
        batch = exchange.open_batch(work, job.subject)
        applied = service.apply(work, batch)
        exchange.settle_batch(work, batch.id, applied.verdicts)
        wait = applied.waiting and work.now - batch.received_at < PARENT_WAIT
    if wait:
        raise TryLater(PARENT_PAUSE_S)
