"""Sending a party's change feed to it: begin → call with no session open → finish, change by change."""

from __future__ import annotations

import time

from app.core.errors import PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime
from app.exchange import pushing
from app.gateways import Gateways

# A worker has other parties to serve as well.
TURN_S = 10.0
PAUSE_S = 1.0


def push(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Everything that waits in the feed of the party `job.subject`. A failure after some were taken is no failed try:
    the party is there, and what it did not take is sent again first."""
    ends_s, sent = time.monotonic() + TURN_S, 0
    while True:
        with runtime.work() as work:
            due = pushing.begin(work, job.subject)
        if due is None:
            return
        try:
            gateways.pushes.send(due.at, str(due.change_id), due.body)
        except PartnerFault as fault:
            with runtime.work() as work:
                pushing.released(work, job.subject)
            if sent and not fault.permanent:
                raise TryLater(PAUSE_S) from fault
            raise
        with runtime.work() as work:
            pushing.taken(work, job.subject, due)
        sent += 1
        if time.monotonic() > ends_s:
            raise TryLater(0.0)
