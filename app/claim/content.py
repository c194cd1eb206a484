"""The parts of a claim package: everything the insurer gets to see, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.claim import queries
from app.claim.models import Claim, ClaimBill
from app.core.clock import shanghai_date
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.record import queries as record
from app.record import service as records
from app.record.queries import BillFacts


def parts(work: Work, row: Claim, clearings: Sequence[ClaimBill]) -> dict[str, Any]:
    """The parts by name, in plain text; what is read of persons and records for it is audited."""
    bills = {bill.id: bill for bill in record.bills(work.session, [r.bill_id for r in clearings])}
    visit_keys = {bill.visit_id: bill.visit_key for bill in bills.values()}
    person = identity.facts(work, row.person_id, "claim package")
    return {
        "claim": _claim(row),
        "insured": {
            "name": person.name,
            "document_type": person.document_type,
            "document_no": person.document_no,
            "birth_date": person.birth_date.isoformat(),
            "sex": person.sex,
        },
        "policy": _policy(work.session, row),
        "hospital": _hospital(work.session, row.hospital_id),
        **_medical(work, visit_keys),
        "bills": _bills(work.session, clearings, bills),
        "e_bills": _e_bills(work.session, clearings),
        "consent": _consent(work.session, row.consent_id),
        "application_form": {
            "claim_no": row.no,
            "applicant_relation": row.payee_relation,
            "insured_name": person.name,
            "bills": len(clearings),
            "asked_fen": row.asked_fen,
            "statement": "本人确认以上内容属实，申请保险理赔",
        },
    }


def _claim(row: Claim) -> dict[str, Any]:
    return {
        "claim_no": row.no,
        "type": "quick",
        "created_at": row.status_since.isoformat(),
        "business_date": row.business_date.isoformat(),
        "asked_fen": row.asked_fen,
        "payee": {"kind": row.payee_kind, "relation": row.payee_relation},
    }


def _policy(session: Session, row: Claim) -> dict[str, Any]:
    policy = queries.policy_of(session, row)
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


def _consent(session: Session, consent_id: UUID) -> dict[str, Any]:
    given = identity.consent(session, consent_id)
    return {
        "purpose": given.purpose,
        "scope": given.scope,
        "wording": given.wording,
        "given_at": given.given_at.isoformat(),
        "by_guardian": given.guardian_id is not None,
    }


def _medical(work: Work, visit_keys: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "visits": [_visit(work.session, visit_id) for visit_id in visit_keys],
        "diagnoses": [
            {"visit_key": visit_keys[d.visit_id], "main": d.main, "stage": d.stage, **_coded(d)}
            for d in record.diagnoses(work.session, list(visit_keys))
        ],
        "procedures": [
            {"visit_key": visit_keys[p.visit_id], "at": p.at.isoformat(), **_coded(p)}
            for p in record.procedures(work.session, list(visit_keys))
        ],
        "documents": [
            {"visit_key": visit_keys[d.visit_id], "kind": d.kind, "title": d.title, "sha256": d.sha256, "text": text}
            for d, text in records.read_documents(work, visit_keys, "claim package")
        ],
    }


def _visit(session: Session, visit_id: UUID) -> dict[str, Any]:
    visit = record.visit(session, visit_id)
    assert visit is not None
    return {
        "visit_key": visit.key,
        "kind": visit.kind,
        "campus": visit.campus,
        "department_name": visit.department_name,
        "doctor_name": visit.doctor_name,
        "started_at": visit.started_at.isoformat(),
        "started_on": shanghai_date(visit.started_at).isoformat(),
        "ended_at": visit.ended_at.isoformat() if visit.ended_at else None,
    }


def _bills(session: Session, clearings: Sequence[ClaimBill], bills: Mapping[UUID, BillFacts]) -> list[dict[str, Any]]:
    lines: dict[UUID, list[dict[str, Any]]] = {bill_id: [] for bill_id in bills}
    for line in record.lines(session, list(bills)):
        lines[line.bill_id].append({
            "line_no": line.line_no,
            "category": line.category,
            "insurance_code": line.insurance_code,
            "insurance_class": line.insurance_class,
            "unit_price": str(line.unit_price),
            "quantity": str(line.quantity),
            "amount_fen": line.amount_fen,
            "at": line.at.isoformat(),
            **_coded(line),
        })  # fmt: skip
    return [_bill(bills[r.bill_id], r.clearing_no) | {"lines": lines[r.bill_id]} for r in clearings]


def _bill(bill: BillFacts, clearing_no: str) -> dict[str, Any]:
    return {
        "clearing_no": clearing_no,
        "bill_no": bill.bill_no,
        "visit_key": bill.visit_key,
        "total_fen": bill.total_fen,
        "fund_fen": bill.fund_fen,
        "account_fen": bill.account_fen,
        "self_pay_fen": bill.self_pay_fen,
        "borne_fen": bill.borne_fen,
    }


def _e_bills(session: Session, clearings: Sequence[ClaimBill]) -> list[dict[str, Any]]:
    numbers = {r.bill_id: r.clearing_no for r in clearings}
    return [
        {
            "clearing_no": numbers[e.bill_id],
            "code": e.code,
            "number": e.number,
            "check_code": e.check_code,
            "issued_on": e.issued_on.isoformat(),
            "status": e.state,
            "sha256": e.sha256,
        }
        for e in record.e_bills(session, list(numbers))
    ]


def _coded(row: Any) -> dict[str, str]:
    return {name: getattr(row, name) for name in ("code", "code_system", "code_edition", "name")}
