"""What follows batches, answers, payments and the ends of ties."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from app.appointment import service
from app.appointment.waiting import closing, offers
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.gateways import Gateways
from app.identity import service as identity


def apply_catalogue(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        batch = exchange.open_batch(work, job.subject)
        exchange.settle_batch(work, batch.id, service.apply_catalogue(work, batch))


def confirmed(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        service.hospital_answered(work, exchange.answer(work, job.subject))


def ask_again(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        service.ask_again(work, job.subject)


def sweep(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    with runtime.work(finish=jobs) as work:
        service.note_missed(work)
        closing.sweep(work)


def fill(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        offers.fill(work, job.subject)


def lapse_offer(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        offers.lapse(work, job.subject)


def unbound(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Event `identity.unbound`; the subject is the binding. A claim that led to nothing has no person."""
    with runtime.work(finish=[job]) as work:
        tie = identity.bound_pair(work.session, job.subject)
        if tie.person_id is not None:
            closing.tie_ended(work, tie.account_id, tie.person_id)


def leave_unbound(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        closing.leave_unbound(work, job.subject)


def remind(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        service.remind(work, job.subject, timedelta(seconds=job.args["before_s"]))


def fee_paid(runtime: Runtime, _: Gateways, job: Job) -> None:
    _on_fee(runtime, job, service.fee_paid)


def fee_closed(runtime: Runtime, _: Gateways, job: Job) -> None:
    _on_fee(runtime, job, service.fee_closed)


def fee_refunded(runtime: Runtime, _: Gateways, job: Job) -> None:
    _on_fee(runtime, job, service.fee_refunded)


def fee_not_refunded(runtime: Runtime, _: Gateways, job: Job) -> None:
    _on_fee(runtime, job, service.fee_not_refunded)


def attended(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        for no in job.args["appointment_nos"]:
            service.attended(work, UUID(job.args["hospital_id"]), no)


def _on_fee(runtime: Runtime, job: Job, then: Callable[[Work, UUID], None]) -> None:
    """Payment events come for every purpose; only ours is for us."""
    with runtime.work(finish=[job]) as work:
        if job.args["purpose"] == "appointment":
            then(work, UUID(job.args["subject"]))
