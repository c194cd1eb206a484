"""What an insurer asks of a hospital's data for a claim: forwarded to the hospital under the patient's consent, and
handed over under the consent that is still in force when the answer comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pydantic import ValidationError

from app.claim import consents, rules
from app.claim.contracts import partners
from app.claim.models.claims import Claim
from app.claim.queries import lookup
from app.claim.states import LIVE
from app.core.errors import Forbidden, Invalid, NotFound, Problem
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer, OpenRequest
from app.identity import service as identity
from app.record import queries as record

LANE = "pull"
NO_CONSENT = "no_consent"
ASK_AGAIN = timedelta(seconds=30)
# The rows of a visit, by the kind of data in the words of the consent.
ROWS_OF: Mapping[str, tuple[str, ...]] = {
    "visits": ("visit",),
    "diagnoses": ("diagnosis", "procedure"),
    "bills": ("bill", "fee_line"),
    "e_bills": ("e_bill",),
    "documents": ("document",),
    "reports": ("report",),
}
KIND_OF = {row_type: kind for kind, types in ROWS_OF.items() for row_type in types}


@dataclass(frozen=True)
class Allowed:
    """What the insurer may get of this hospital for its claim."""

    claim: Claim
    patient_no: str
    visit_keys: list[str]
    types: list[str]


def forward(work: Work, request_id: UUID) -> None:
    """Ask the hospital, if the claim and the consent allow it; otherwise the insurer is told why not."""
    asked = exchange.open_request(work, request_id)
    if asked is None:
        return
    try:
        allowed = _allowed(work, asked)
    except Problem as refusal:
        exchange.answer_request(work, asked.id, "refused", {}, refusal.code)
        return
    body = {"patient_no": allowed.patient_no, "visit_keys": allowed.visit_keys, "types": allowed.types}
    hospital_id, deadline = asked.hospital_id, asked.deadline
    exchange.command(work, hospital_id, "read_visit", body, subject=asked.id, lane=LANE, deadline=deadline)


def answered(work: Work, command_id: UUID) -> None:
    """Event `exchange.answered.read_visit`. Who could not answer now is asked again, as long as there is time; without
    an answer the request becomes overdue."""
    answer = exchange.answer(work, command_id)
    assert answer.subject is not None
    if answer.outcome == "done":
        _hand_over(work, answer)
    elif answer.outcome == "refused":
        exchange.answer_request(work, answer.subject, "refused", {}, answer.code)
    elif answer.outcome == "failed":
        work.later("claim.forward_request", answer.subject, run_at=work.now + ASK_AGAIN)


def _hand_over(work: Work, answer: CommandAnswer) -> None:
    assert answer.subject is not None
    asked = exchange.open_request(work, answer.subject)
    if asked is None:
        return
    try:
        allowed = _allowed(work, asked)
        found = partners.VisitRead.model_validate(answer.body)
        _require_fitting(found.rows, allowed)
        if not consents.share(work, allowed.claim, "data_request", _kinds(found.rows), asked.request_no):
            raise Forbidden(NO_CONSENT, "就诊人没有同意，或已撤回同意")
    except ValidationError:
        exchange.answer_request(work, asked.id, "failed", {}, "answer_unreadable")
    except Problem as refusal:
        outcome = "failed" if isinstance(refusal, Invalid) else "refused"
        exchange.answer_request(work, asked.id, outcome, {}, refusal.code)
    else:
        exchange.answer_request(work, asked.id, "done", found.model_dump(mode="json"))


def _allowed(work: Work, asked: OpenRequest) -> Allowed:
    """Raises NotFound, Forbidden, Invalid with what the insurer is told."""
    try:
        claim_no = partners.VisitWanted.model_validate(asked.data).claim_no
    except ValidationError as error:
        raise Invalid("request_malformed", "请求内容有误") from error
    row = lookup.claim_by_no(work.session, claim_no, asked.party_id)
    if row is None:
        raise NotFound("claim_unknown", "没有这件理赔")
    if row.status not in LIVE:
        raise Forbidden("claim_ended", "这件理赔已经终止")
    if not consents.cover(work, row, rules.IN_PACKAGE):
        raise Forbidden(NO_CONSENT, "就诊人没有同意，或已撤回同意")
    kinds = identity.may_be_shared(work.session, row.person_id, row.insurer_id, rules.PURPOSE)
    types = [row_type for row_type, kind in KIND_OF.items() if kind in kinds]
    return Allowed(row, *_visits(work, row, asked.hospital_id), types)


def _visits(work: Work, row: Claim, hospital_id: UUID) -> tuple[str, list[str]]:
    """The patient number at this hospital and the visits that the claim is about there."""
    bill_ids = [clearing.bill_id for clearing in lookup.bills(work.session, row.id)]
    there = [bill for bill in record.bills(work.session, bill_ids) if bill.hospital_id == hospital_id]
    if not there:
        raise NotFound("hospital_not_of_claim", "这件理赔与该医院无关")
    return there[0].patient_no, sorted({bill.visit_key for bill in there})


def _require_fitting(rows: Collection[partners.VisitRow], allowed: Allowed) -> None:
    """Nothing but what was asked for leaves us, whatever the hospital has sent: Invalid for any other row."""
    bills = {row.key for row in rows if row.type == "bill"}
    for row in rows:
        visit_key = row.key if row.type == "visit" else row.data.get("visit_key")
        bill_key = row.data.get("bill_key")
        of_bill = isinstance(bill_key, str) and bill_key in bills
        ours = of_bill if visit_key is None else visit_key in allowed.visit_keys
        if row.type not in allowed.types or not ours:
            raise Invalid("answer_unfitting", "医院的答复含有未请求的内容")


def _kinds(rows: Collection[partners.VisitRow]) -> list[str]:
    return sorted({KIND_OF[row.type] for row in rows})
