"""What the exchange calls parties for, each begin → call with no session open → finish: sending a change feed change by
change, and looking which of our secrets is believed there."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import uuid4

from app.core.clock import shanghai_date
from app.core.errors import NotFound, PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime
from app.exchange import parties, pushing
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


def believes_newer_secret(runtime: Runtime, gateways: Gateways, code: str) -> bool:
    """Whether an insurer shows that it believes the newest of our secrets: asked for the book of today, signed with
    that one alone, it has it or says that it is not made yet. False for who cannot be asked so."""
    try:
        with runtime.read() as session:
            at = parties.endpoint(session, runtime.privacy, parties.party_by_code(session, code).id)
    except NotFound:
        return False
    newest = replace(at, secret=at.secret.split()[0])
    try:
        gateways.insurer.ledger(newest, f"secret-{uuid4().hex}", shanghai_date(runtime.clock.now()))
    except PartnerFault as fault:
        return fault.code == "ledger_not_ready"
    return True
