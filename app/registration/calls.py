"""What follows booked appointments, the clock of the line, and the hospital's answers."""

from __future__ import annotations

from app.core.tasks import Job
from app.core.work import Runtime
from app.exchange import service as exchange
from app.gateways import Gateways
from app.registration import service


def enter(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        service.enter(work, [job.subject for job in jobs])


def poll(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    """Several wishes to poll one hospital are one poll."""
    with runtime.work(finish=jobs) as work:
        for hospital_id in sorted({job.subject for job in jobs}):
            service.poll(work, hospital_id)


def sweep(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        service.sweep(work)


def answered(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    """The answers that came together have their effect together."""
    with runtime.work(finish=jobs) as work:
        service.hospital_answered(work, exchange.answers(work, [job.subject for job in jobs]))
