"""The parts of a claim package that the hospital has pushed: visits, diagnoses, operations, records, bills, e-bills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.claim.models.claims import ClaimBill
from app.core.clock import shanghai_date
from app.core.work import Work
from app.record import queries as record
from app.record import service as records
from app.record.queries import BillFacts


def medical(work: Work, visit_keys: Mapping[UUID, str]) -> dict[str, Any]:
    """Of these visits (id -> key)."""
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
        "documents": documents(work, visit_keys),
    }


def documents(work: Work, visit_keys: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """The hospital's records of these visits (id -> key)."""
    return [
        {"visit_key": visit_keys[d.visit_id], "kind": d.kind, "title": d.title, "sha256": d.sha256, "text": text}
        for d, text in records.read_documents(work, visit_keys, "claim package")
    ]


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


def bills_with_lines(
    session: Session, clearings: Sequence[ClaimBill], bills: Mapping[UUID, BillFacts]
) -> list[dict[str, Any]]:
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


def e_bills(session: Session, clearings: Sequence[ClaimBill]) -> list[dict[str, Any]]:
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
