"""Is the person insured, and are the bills in scope? Asked before anything of the record is shared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.claim import consents, e_bills, rules
from app.claim.assembly import end_ineligible
from app.claim.contracts import partners
from app.claim.models.claims import Claim
from app.claim.policy.service import remember
from app.claim.queries import lookup
from app.claim.states import State
from app.claim.steps import advance, get
from app.claim.withdrawal import give_back
from app.core.clock import shanghai_date
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.record import queries as record


def eligibility_question(work: Work, row: Claim) -> dict[str, Any] | None:
    """What the insurer is asked: who, when, which diagnoses, how much; with the receipt of it. None, and the claim
    ends, if a consent was withdrawn."""
    if not consents.share(work, row, "eligibility", rules.IN_QUESTION):
        give_back(work, row, "consent_withdrawn")
        return None
    person = identity.facts(work, row.person_id, "eligibility question")
    rows = {b.bill_id: b for b in lookup.bills(work.session, row.id)}
    bills = record.bills(work.session, list(rows))
    diagnoses = record.diagnoses(work.session, [bill.visit_id for bill in bills])
    return {
        "request_no": str(row.id),
        "hospital_code": exchange.party(work.session, row.hospital_id).code,
        "person": {
            "name": person.name,
            "document_type": person.document_type,
            "document_no": person.document_no,
            "birth_date": person.birth_date.isoformat(),
        },
        "on": row.business_date.isoformat(),
        "bills": [
            {
                "clearing_no": rows[bill.id].clearing_no,
                "started_on": shanghai_date(bill.started_at).isoformat(),
                "ended_on": shanghai_date(bill.ended_at or bill.started_at).isoformat(),
                "diagnoses": [
                    {"code": d.code, "code_system": d.code_system} for d in diagnoses if d.visit_id == bill.visit_id
                ],
                "total_fen": bill.total_fen,
                "borne_fen": bill.borne_fen,
            }
            for bill in bills
        ],
    }


def verified(work: Work, claim_id: UUID, answer: partners.EligibilityIn) -> None:
    """The insurer has answered: keep what it said of the policies, and take the first that covers and whose guard lets
    the e-bills in. A claim that was withdrawn meanwhile guards nothing."""
    row = get(work, claim_id)
    remember(work, row.insurer_id, row.person_id, answer.policies)
    _remember_paid_elsewhere(work, row, answer.paid_elsewhere)
    if row.status != State.VERIFYING:
        return
    wanted = [p for p in answer.policies if row.policy_no in (None, p.policy_no)]
    covering = [p.policy_no for p in wanted if p.in_scope]
    if not answer.insured or not wanted:
        end_ineligible(work, row, "not_insured")
    elif not covering:
        reasons = [reason.model_dump() for policy in wanted for reason in policy.reasons]
        end_ineligible(work, row, "policy_out_of_scope", reasons)
    else:
        free, why_not = e_bills.guard(work, row, covering)
        if free is None:
            end_ineligible(work, row, why_not)
        elif advance(work, row, "eligible", policy_no=free):
            work.later("claim.deliver", row.id)


def _remember_paid_elsewhere(work: Work, row: Claim, said: Sequence[partners.PaidElsewhereIn]) -> None:
    amounts = {one.clearing_no: one.amount_fen for one in said}
    for clearing in lookup.bills(work.session, row.id):
        if clearing.kind == "pay":
            clearing.paid_elsewhere_fen = amounts.get(clearing.clearing_no, 0)
