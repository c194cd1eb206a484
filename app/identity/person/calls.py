"""Tasks about bindings. The hospital is reached through the exchange, so nothing is called from here."""

from __future__ import annotations

from app.core.tasks import Job
from app.core.work import Runtime
from app.exchange import service as exchange
from app.gateways import Gateways
from app.identity.person import checks, patients


def hospital_answered(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Event `exchange.answered.verify_identity`; the subject is the command."""
    with runtime.work(finish=[job]) as work:
        checks.hospital_answered(work, exchange.answer(work, job.subject))


def ask_hospital(runtime: Runtime, _: Gateways, job: Job) -> None:
    """The hospital could not answer before; the subject is the binding."""
    with runtime.work(finish=[job]) as work:
        checks.ask_hospital(work, job.subject)


def list_ties(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Nightly: every hospital's machine is asked which accounts it has tied to its patients."""
    with runtime.work(finish=[job]) as work:
        patients.ask_for_ties(work)


def ties_listed(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Event `exchange.answered.list_ties`; the subject is the command."""
    with runtime.work(finish=[job]) as work:
        patients.compare_ties(work, exchange.answer(work, job.subject))
