"""Talks with the insurer, each begin → call with no session open → finish; and the tasks that follow messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from app.claim import (
    amendment,
    answers,
    assembly,
    authority,
    consents,
    delivery,
    documents,
    following,
    letter,
    letter_paper,
    recovery,
    verification,
    versions,
)
from app.claim.contracts import partners
from app.claim.queries import lookup
from app.claim.states import State
from app.claim.steps import get
from app.core.errors import NOT_REACHED, Invalid, NotFound, PartnerFault, TryLater
from app.core.log import get_log
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.gateways import Gateways

DATA_PAUSE_S = 2.0
log = get_log(__name__)
Handler = Callable[[Runtime, Gateways, Job], None]


def assemble(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work() as work:
        done = assembly.assemble(work, job.subject)
    if not done:
        raise TryLater(DATA_PAUSE_S)


def bills_changed(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Claims that wait for these bills' data look again at once; of others, what was refunded is taken out, and what
    was amended is followed."""
    with runtime.work(finish=[job]) as work:
        bill_ids = [UUID(bill_id) for bill_id in job.args["bill_ids"]]
        for row in lookup.claims_of_bills(work.session, bill_ids):
            assembly.assemble(work, row.id)
        recovery.bills_lost(work, bill_ids)
        amendment.bills_amended(work, bill_ids)


def e_bills_reversed(runtime: Runtime, _: Gateways, job: Job) -> None:
    with runtime.work(finish=[job]) as work:
        recovery.bills_lost(work, [UUID(bill_id) for bill_id in job.args["bill_ids"]])


def verify(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Ask whether the person is insured and the bills are in scope, before anything else is shared: first the authority
    about the e-bills, then the insurer."""
    if not authority.stands_by(runtime, gateways, job.subject):
        return
    with runtime.work() as work:
        row = get(work, job.subject)
        if row.status != State.VERIFYING:
            return
        question = verification.eligibility_question(work, row)
        if question is None:
            return
        at = exchange.endpoint(work.session, work.privacy, row.insurer_id)
    answer = read_answer(
        partners.EligibilityIn, gateways.insurer.eligibility(at, f"eligibility-{job.subject}-{job.tries}", question)
    )
    with runtime.work(finish=[job]) as work:
        verification.verified(work, job.subject, answer)


def deliver(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Seal the package once, hand it over as often as needed: the insurer knows it by claim number and version."""
    with runtime.work() as work:
        sealed = delivery.seal_package(work, job.subject)
    if sealed is None or sealed.delivered_at is not None:
        return
    with runtime.work() as work:
        at = exchange.endpoint(work.session, work.privacy, get(work, job.subject).insurer_id)
        body = delivery.to_deliver(work, job.subject, sealed.id)
    if body is None:
        return
    try:
        case = read_answer(partners.CaseIn, gateways.insurer.deliver(at, f"package-{sealed.id}", body))
    except PartnerFault as fault:
        if fault.code == NOT_REACHED:
            with runtime.work() as work:
                delivery.not_reached(work, sealed.id)
        if not fault.permanent or fault.unknown:
            raise
        with runtime.work(finish=[job]) as work:
            delivery.refused(work, job.subject, fault.code)
        return
    with runtime.work(finish=[job]) as work:
        delivery.delivered(work, job.subject, sealed.id, case.case_no)
        _publish(work, job.subject, "package", body)
        if gateways.insurer.is_asked(at):
            following.begin(work, job.subject)


def send_documents(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Seal the version that holds them once, hand it over as often as needed. What comes after the insurer's decision
    stays with us."""
    with runtime.work() as work:
        sealed = versions.seal_next(work, job.subject, UUID(job.args["request_id"]))
    if sealed is None or sealed.delivered_at is not None:
        return
    with runtime.work() as work:
        body = delivery.documents_to_tell(work, job.subject, sealed.id)
    if body is None:
        return

    def took(work: Work, claim_id: UUID) -> None:
        delivery.note_delivered(work, sealed.id)
        documents.arrived(work, claim_id)

    try:
        _tell(runtime, gateways, job, "documents", body, then=took)
    except PartnerFault as fault:
        if fault.code != "already_decided":
            raise


def issue_letter(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Drawing thousands of lines takes seconds, in which nothing is locked."""
    with runtime.work() as work:
        said = letter.to_say(work, job.subject)
    if said is not None:
        content = letter_paper.draw(said)
        with runtime.work(finish=[job]) as work:
            letter.issue(work, job.subject, content)


def tell_appeal(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.work() as work:
        body = answers.appeal_to_tell(work, job.subject)
    _tell(runtime, gateways, job, "appeal", body)


def tell_acceptance(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    with runtime.work() as work:
        body = answers.acceptance_to_tell(work, job.subject)
    _tell(runtime, gateways, job, "acceptance", body)


def tell_withdrawal(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """The reversals count when the insurer has taken the case back. Has it decided already, nothing is reversed."""
    with runtime.work() as work:
        reversals = [b for b in lookup.bills(work.session, job.subject) if b.kind == "reverse"]
        names = ("clearing_no", "original_clearing_no")
        body = {"reversals": [{name: getattr(b, name) for name in names} for b in reversals]}
    try:
        _tell(runtime, gateways, job, "withdrawal", body, then=_book_reversals)
    except PartnerFault as fault:
        if fault.code != "already_decided":
            raise


def _book_reversals(work: Work, claim_id: UUID) -> None:
    get(work, claim_id)
    delivery.book(work, [b for b in lookup.bills(work.session, claim_id) if b.kind == "reverse"])


def tell_recovery(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """As it stands now. The row that takes the bill back counts when the insurer knows of it."""
    with runtime.work() as work:
        body = recovery.to_tell(work, UUID(job.args["recovery_id"]))

    def book_reversal(work: Work, claim_id: UUID) -> None:
        rows = lookup.bills(work.session, claim_id)
        delivery.book(work, [row for row in rows if row.clearing_no == body["recovery_no"]])

    _tell(runtime, gateways, job, "recovery", body, then=book_reversal)


def tell_payout(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """The insurer is told what became of its money; `args` are payout_no, amount_fen, status, at."""
    _tell(runtime, gateways, job, "payout", job.args)


def _tell(
    runtime: Runtime,
    gateways: Gateways,
    job: Job,
    what: str,
    body: dict[str, Any],
    then: Callable[[Work, UUID], None] = lambda work, claim_id: None,
) -> None:
    consents.require_declared(what, body)
    with runtime.work() as work:
        row = get(work, job.subject)
        claim_no, at = row.no, exchange.endpoint(work.session, work.privacy, row.insurer_id)
    gateways.insurer.tell(at, f"{what}-{job.id}", claim_no, what, body)
    with runtime.work(finish=[job]) as work:
        then(work, job.subject)
        _publish(work, job.subject, what, {"claim_no": claim_no, **body})
        work.audit(f"claim.told.{what}", "claim", job.subject)


def _publish(work: Work, claim_id: UUID, what: str, body: dict[str, Any]) -> None:
    """What the insurer was told stands in its feed too, for its programs that read there."""
    exchange.publish(work, get(work, claim_id).insurer_id, f"claim.{what}", body)


def on_message(contract: type[BaseModel], then: Callable[[Work, UUID, Any], None]) -> Handler:
    """The task that follows `exchange.message.claim.*`: read the contract, then `then(work, insurer_id, data)`. What
    breaks the contract or speaks of nothing that the insurer has changes nothing, and the insurer is told."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        try:
            with runtime.work(finish=[job]) as work:
                message = exchange.open_message(work, job.subject)
                then(work, message.party_id, contract.model_validate(message.data))
        except ValidationError as error:
            _refuse(runtime, job, "invalid", _wrong_fields(error))
        except (NotFound, Invalid) as refusal:
            _refuse(runtime, job, refusal.code, refusal.fields)

    return handle


def on_subject(then: Callable[[Work, UUID], None]) -> Handler:
    """A task about one claim whose time has come, or about one row that an event names."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            then(work, job.subject)

    return handle


def _refuse(runtime: Runtime, job: Job, code: str, fields: Mapping[str, str]) -> None:
    log.warning("message_refused", message=job.subject, code=code)
    with runtime.work(finish=[job]) as work:
        exchange.refuse_message(work, job.subject, code, fields)


def _wrong_fields(error: ValidationError) -> dict[str, str]:
    """Where the contract is broken: {path: kind of fault}, never what was sent."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[:20]
    return {".".join(map(str, item["loc"]))[:80] or "_": item["type"] for item in found}


def read_answer(contract: type[Any], data: Any) -> Any:
    """The insurer's answer to a call of ours."""
    try:
        return contract.model_validate(data)
    except ValidationError as error:
        path, kind = next(iter(_wrong_fields(error).items()))
        code = f"{contract.__name__}: {path[:60]} {kind}"
        raise PartnerFault("insurer", code, permanent=True, unknown=True) from error
