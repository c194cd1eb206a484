"""Asking an insurer which policies a person has, and keeping the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from app.claim.contracts import partners
from app.claim.models.claims import Policy
from app.claim.policy import queries
from app.claim.policy.models import PolicyQuestion
from app.core.errors import Forbidden, Invalid
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import Endpoint
from app.identity import service as identity

PURPOSE = "claim"
SHARED = ("identity",)
# A question younger than this waits for its answer, or has it: the insurer is left in peace.
FRESH = timedelta(minutes=5)


@dataclass(frozen=True)
class Asked:
    at: Endpoint
    question: dict[str, Any] = field(repr=False)


def ask(work: Work, account_id: UUID, person_id: UUID, insurer: str, consent: bool) -> PolicyQuestion:
    """Give consent and write the question down. One that was asked just now is not asked a second time. Invalid
    `consent_needed`; NotFound for what is not the caller's; Conflict for an insurer that cannot be asked."""
    identity.require_person(work.session, account_id, person_id)
    insurer_id = queries.insurer_id(work.session, insurer)
    exchange.require_called(work.session, insurer_id)
    if not consent:
        raise Invalid("consent_needed", "需要您单独同意向该保险公司提供身份信息，才能查询保单")
    wanted = identity.WantedConsent(person_id, insurer_id, PURPOSE, SHARED)
    identity.give_consent(work, account_id, wanted)
    new = {"insurer_id": insurer_id, "person_id": person_id, "account_id": account_id, "asked_at": work.now}
    work.session.execute(insert(PolicyQuestion).values(id=PolicyQuestion().id, **new).on_conflict_do_nothing())
    row = queries.question(work.session, insurer_id, person_id)
    if row.asked_at == work.now or work.now - row.asked_at > FRESH:
        row.asked_at, row.account_id = work.now, account_id
        work.later("claim.ask_policies", row.id)
    return row


def to_ask(work: Work, question_id: UUID) -> Asked | None:
    """What the insurer is asked, with the receipt of what is shared by it. None, and nothing is shared, if the consent
    was withdrawn meanwhile: then the question is taken back too."""
    row = work.session.get(PolicyQuestion, question_id)
    if row is None:
        return None
    reference = row.asked_at.isoformat()
    sharing = identity.Sharing(row.person_id, row.insurer_id, PURPOSE, SHARED, "policies", row.id, reference=reference)
    try:
        identity.note_shared(work, sharing)
    except Forbidden:
        work.session.delete(row)
        return None
    person = identity.facts(work, row.person_id, "policy query")
    app_id, _ = identity.payment_identity(work.session, row.account_id)
    hospital = exchange.party(work.session, identity.party_of_app(work.session, app_id))
    question = {
        "request_no": str(row.id),
        "hospital_code": hospital.code,
        "person": {
            "name": person.name,
            "document_type": person.document_type,
            "document_no": person.document_no,
            "birth_date": person.birth_date.isoformat(),
        },
        "on": work.clock.today().isoformat(),
        "bills": [],
    }
    return Asked(exchange.endpoint(work.session, work.privacy, row.insurer_id), question)


def answered(work: Work, question_id: UUID, answer: partners.EligibilityIn) -> None:
    row = work.session.get(PolicyQuestion, question_id, with_for_update=True)
    if row is not None:
        remember(work, row.insurer_id, row.person_id, answer.policies)
        row.answered_at = work.now


def remember(work: Work, insurer_id: UUID, person_id: UUID, policies: Sequence[partners.PolicyIn]) -> None:
    """Keep what the insurer said of its policies. One that does not name a product's filing number is the insurer's
    product that its configuration names."""
    configured = str(exchange.party(work.session, insurer_id).config.get("product_filing_no") or "")
    for policy in policies:
        values = policy.model_dump(exclude={"in_scope", "reasons"}) | {"asked_at": work.now}
        values["product_filing_no"] = policy.product_filing_no or configured
        new = insert(Policy).values(id=Policy().id, insurer_id=insurer_id, person_id=person_id, **values)
        work.session.execute(
            new.on_conflict_do_update(index_elements=["insurer_id", "policy_no", "person_id"], set_=values)
        )
