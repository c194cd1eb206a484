"""Tasks about bindings. The hospital is reached through the exchange, so nothing is called from here."""

from __future__ import annotations

from app.core.tasks import Job
from app.core.work import Runtime
from app.exchange import service as exchange
from app.gateways import Gateways
from app.identity.person import checks, pulls, reconciling


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
        reconciling.ask_for_ties(work)


def ties_listed(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Event `exchange.answered.list_ties`; the subject is the command."""
    with runtime.work(finish=[job]) as work:
        reconciling.compare_ties(work, exchange.answer(work, job.subject))


def tie_revoked(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Event `exchange.message.tie.revoked`; the subject is the message."""
    with runtime.work(finish=[job]) as work:
        reconciling.hear_revoked(work, exchange.open_message(work, job.subject))


def pulled(runtime: Runtime, _: Gateways, jobs: list[Job]) -> None:
    """Events `exchange.answered.pull_patient` and `…pull_patients`; each subject is a command. With a late answer two
    tasks may name one."""
    with runtime.work(finish=jobs) as work:
        pulls.answered(work, exchange.answers(work, list({job.subject for job in jobs})))


def pull_again(runtime: Runtime, _: Gateways, job: Job) -> None:
    """A hospital owes a patient's records; the subject is the command that did not bring them."""
    with runtime.work(finish=[job]) as work:
        pulls.again(work, job.subject)
