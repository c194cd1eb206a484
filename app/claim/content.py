"""The parts of a claim package: everything the insurer gets to see, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.claim import medical
from app.claim.form import STATEMENT, application_form
from app.claim.models.claims import Claim, ClaimBill
from app.claim.queries import lookup
from app.core.privacy import mask_number
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.identity.service import PersonFacts
from app.record import queries as record

WHY = "claim package"


def parts(work: Work, row: Claim, clearings: Sequence[ClaimBill]) -> dict[str, Any]:
    """The parts by name, in plain text; what is read of persons and records for it is audited."""
    bills = {bill.id: bill for bill in record.bills(work.session, [r.bill_id for r in clearings])}
    visit_keys = {bill.visit_id: bill.visit_key for bill in bills.values()}
    plain = {
        "claim": _claim(row),
        "insured": _insured(identity.facts(work, row.person_id, WHY)),
        "policy": _policy(work.session, row),
        "hospital": _hospital(work.session, row.hospital_id),
        **medical.medical(work, visit_keys),
        "bills": medical.bills_with_lines(work.session, clearings, bills),
        "e_bills": medical.e_bills(work.session, clearings),
        "consent": _consents(work.session, row),
        "supplements": supplements(work.session, row.id),
    }
    return plain | {"application_form": application_form(_form(work, row, plain))}


def supplements(session: Session, claim_id: UUID) -> list[dict[str, Any]]:
    """What the patient has sent, with the claim (`request_no` None) or on a request: the files travel beside the
    package, known by their hash."""
    numbers: dict[UUID | None, str] = {r.id: r.request_no for r in lookup.document_requests(session, claim_id)}
    return [
        {
            "request_no": numbers.get(d.request_id),
            **{n: getattr(d, n) for n in ("kind", "title", "media_type", "sha256")},
        }
        for d in lookup.documents_of_claim(session, claim_id)
    ]


def _form(work: Work, row: Claim, plain: Mapping[str, Any]) -> dict[str, Any]:
    """What the application form shows, of the parts that are made already."""
    visits = {visit["visit_key"]: visit for visit in plain["visits"]}
    numbers = [(e_bill["clearing_no"], e_bill["number"]) for e_bill in plain["e_bills"]]
    guardian_id = identity.consent(work.session, row.consent_id).guardian_id
    signer = identity.facts(work, guardian_id, WHY).name if guardian_id else plain["insured"]["name"]
    account = work.reveal(row, "payee_account_sealed", WHY) if row.payee_account_sealed else None
    return {
        "claim_no": row.no,
        "submitted_at": row.submitted_at.isoformat(),
        "insured": plain["insured"],
        "policy": plain["policy"],
        "insurer_name": exchange.party(work.session, row.insurer_id).name,
        "hospital_name": plain["hospital"]["name"],
        "bills": [
            {
                **{name: bill[name] for name in ("clearing_no", "bill_no", "total_fen", "borne_fen")},
                **{name: visits[bill["visit_key"]][name] for name in ("department_name", "started_on")},
                "e_bills": [number for clearing_no, number in numbers if clearing_no == bill["clearing_no"]],
            }
            for bill in plain["bills"]
        ],
        "asked_fen": row.asked_fen,
        "payee": {
            "kind": row.payee_kind,
            "relation": row.payee_relation,
            "name": work.reveal(row, "payee_name_sealed", WHY),
            "account_mask": mask_number(account) if account else None,
        },
        "consent": {**plain["consent"], "signed_by": signer},
        "statement": STATEMENT,
    }


def _insured(person: PersonFacts) -> dict[str, Any]:
    return {
        "name": person.name,
        "document_type": person.document_type,
        "document_no": person.document_no,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
    }


def _claim(row: Claim) -> dict[str, Any]:
    return {
        "claim_no": row.no,
        "type": "quick",
        "created_at": row.submitted_at.isoformat(),
        "business_date": row.business_date.isoformat(),
        "asked_fen": row.asked_fen,
        "payee": {"kind": row.payee_kind, "relation": row.payee_relation},
    }


def _policy(session: Session, row: Claim) -> dict[str, Any]:
    policy = lookup.policy_of(session, row)
    return {
        "policy_no": policy.policy_no,
        "product_name": policy.product_name,
        "product_filing_no": policy.product_filing_no,
        "valid_from": policy.valid_from.isoformat(),
        "valid_to": policy.valid_to.isoformat(),
    }


def _hospital(session: Session, hospital_id: UUID) -> dict[str, Any]:
    hospital = exchange.party(session, hospital_id)
    return {"code": hospital.code, "name": hospital.name}


def _consents(session: Session, row: Claim) -> dict[str, Any]:
    """The two consents that the claim is made under: for identity, bills and claim, and for health data."""
    given = [identity.consent(session, consent_id) for consent_id in (row.consent_id, row.health_consent_id)]
    return {
        "purpose": given[0].purpose,
        "by_guardian": given[0].guardian_id is not None,
        "given": [
            {
                "data_class": one.data_class,
                "scope": one.scope,
                "wording": one.wording,
                "given_at": one.given_at.isoformat(),
            }
            for one in given
        ],
    }
