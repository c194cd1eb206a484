"""Talks with the insurer, each begin → call with no session open → finish; and the tasks that follow messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from app.claim import assembly, decisions, queries
from app.claim import contracts as c
from app.claim.models import Claim
from app.claim.states import State
from app.core.errors import PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.gateways import Gateways

DATA_PAUSE_S = 2.0
OTHER_CLAIM_PAUSE_S = 1.0
Handler = Callable[[Runtime, Gateways, Job], None]


def assemble(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work() as work:
        done = assembly.assemble(work, job.subject)
    if not done:
        raise TryLater(DATA_PAUSE_S)


def bills_changed(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Claims that wait for these bills' data look again at once."""
    with runtime.work(finish=[job]) as work:
        bill_ids = [UUID(bill_id) for bill_id in job.args["bill_ids"]]
        for row in queries.claims_of_bills(work.session, bill_ids):
            if row.status == State.ASSEMBLING:
                assembly.assemble(work, row.id)


def e_bills_reversed(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        decisions.e_bills_reversed(work, [UUID(bill_id) for bill_id in job.args["bill_ids"]])


def verify(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Ask the insurer whether the person is insured and the bills are in scope, before anything else is shared."""
    with runtime.work() as work:
        row = assembly.get(work, job.subject)
        if row.status != State.VERIFYING:
            return
        question = assembly.eligibility_question(work, row)
        at = exchange.endpoint(work.session, work.privacy, row.insurer_id)
    answer = _read(c.EligibilityIn, gateways.insurer.eligibility(at, f"eligibility-{row.id}-{job.tries}", question))
    with runtime.work(finish=[job]) as work:
        assembly.verified(work, job.subject, answer)


def deliver(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Seal the package once, hand it over as often as needed: the insurer knows it by claim number and version.

    A package that was sealed is delivered even if the patient withdraws meanwhile: the books of all three must show
    both the row and its reversal.
    """
    with runtime.work() as work:
        row = assembly.get(work, job.subject)
        if row.status == State.WITHDRAWN and queries.latest_package(work.session, row.id) is None:
            return
        sealed = assembly.seal_package(work, row.id)
    if sealed is None:
        raise TryLater(OTHER_CLAIM_PAUSE_S)
    with runtime.work() as work:
        at = exchange.endpoint(work.session, work.privacy, row.insurer_id)
        body = {
            "claim_no": row.no,
            "policy_no": row.policy_no,
            "package": assembly.open_package(work, sealed),
            "remainders": assembly.remainders(work, row.id),
        }
    try:
        case = _read(c.CaseIn, gateways.insurer.deliver(at, f"package-{sealed.id}", body))
    except PartnerFault as fault:
        if fault.permanent:
            _refused(runtime, job, fault)
            return
        raise
    with runtime.work(finish=[job]) as work:
        assembly.delivered(work, job.subject, sealed.id, case.case_no)


def _refused(runtime: Runtime, job: Job, fault: PartnerFault) -> None:
    with runtime.work(finish=[job]) as work:
        row = assembly.get(work, job.subject)
        assembly.end_refused(work, row, fault.code)


def send_documents(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.work() as work:
        body = decisions.documents_of(work, job.subject, UUID(job.args["request_id"]))
    _tell(runtime, gateways, job, "documents", body)


def tell_appeal(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.read() as session:
        appeal = queries.appeal(session, job.subject)
        assert appeal is not None
        body = {"lines": appeal.lines, "reason": appeal.reason}
    _tell(runtime, gateways, job, "appeal", body)


def tell_acceptance(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    _tell(runtime, gateways, job, "acceptance", {})


def tell_withdrawal(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.read() as session:
        package = queries.latest_package(session, job.subject)
        if package is not None and package.delivered_at is None:
            raise TryLater(OTHER_CLAIM_PAUSE_S)
        reversals = [
            {"clearing_no": b.clearing_no, "original_clearing_no": b.original_clearing_no}
            for b in queries.bills(session, job.subject)
            if b.kind == "reverse"
        ]
    _tell(runtime, gateways, job, "withdrawal", {"reversals": reversals})


def tell_payout(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """The insurer is told what became of its money; `args` are payout_no, amount_fen, status, at."""
    _tell(runtime, gateways, job, "payout", job.args)


def _tell(runtime: Runtime, gateways: Gateways, job: Job, what: str, body: dict[str, Any]) -> None:
    with runtime.work() as work:
        row: Claim = assembly.get(work, job.subject)
        at = exchange.endpoint(work.session, work.privacy, row.insurer_id)
    gateways.insurer.tell(at, f"{what}-{job.id}", row.no, what, body)
    with runtime.work(finish=[job]) as work:
        work.audit(f"claim.told.{what}", "claim", job.subject)


def on_message(contract: type[BaseModel], then: Callable[[Work, UUID, Any], None]) -> Handler:
    """The task that follows `exchange.message.claim.*`: read the contract, then `then(work, insurer_id, data)`."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            message = exchange.open_message(work, job.subject)
            then(work, message.party_id, _read(contract, message.data))

    return handle


def on_time(then: Callable[[Work, UUID], None]) -> Handler:
    """A task about one claim whose time has come."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            then(work, job.subject)

    return handle


def _read(contract: type[Any], data: Any) -> Any:
    try:
        return contract.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        code = f"{contract.__name__}: {'.'.join(map(str, first['loc']))[:60]} {first['type']}"
        raise PartnerFault("insurer", code, permanent=True) from error
