"""What an integrator begins with: messages about invented people that are right in every point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from app.core.ids import clearing_number
from app.core.signing import SigningKey
from app.exchange import service as exchange

_ICD = {"code_system": "ICD-10", "code_edition": "国家临床版2.0"}
_OWN = {"code_system": "hospital", "code_edition": "2026"}
CLAIM_NO = "CL-SANDBOX"
HOSPITAL = "SANDBOX"
Row = tuple[str, str, Mapping[str, Any]]  # type, key, data


def batch(batch_no: int, kind: str, day: date, rows: Sequence[Row]) -> dict[str, Any]:
    """A batch that declares what it holds."""
    listed = [{"type": type_, "key": key, "version": 1, "data": dict(data)} for type_, key, data in rows]
    return {
        "batch_no": batch_no,
        "kind": kind,
        "business_date": day.isoformat(),
        "count": len(listed),
        "amount_fen": exchange.sum_fen(listed),
        "sha256": sha256(exchange.canonical(listed)).hexdigest(),
        "rows": listed,
    }


def catalogue(batch_no: int, day: date) -> dict[str, Any]:
    starts = datetime.fromisoformat(f"{day + timedelta(days=1)}T09:00:00+08:00")
    slot = {"doctor_code": "D1", "department_code": "01", "starts_at": starts.isoformat(),
            "ends_at": (starts + timedelta(hours=1)).isoformat(), "capacity": 20, "fee_fen": 1250,
            "status": "open"}  # fmt: skip
    doctor = {"code": "D1", "name": "李医生", "title": "主任医师", "department_code": "01"}
    rows: list[Row] = [
        ("department", "01", {"code": "01", "name": "内科"}),
        ("doctor", "D1", doctor),
        ("slot", "S1", slot),
    ]
    return batch(batch_no, "catalogue", day, rows)


def record(batch_no: int, day: date, e_bill_no: str = "0000000001") -> dict[str, Any]:
    """A visit with its diagnosis, document, bill, two fee lines and e-bill. The number of an e-bill is given once, so
    each hospital needs its own."""
    at = f"{day}T10:00:00+08:00"
    visit = {"patient_no": "P0001", "kind": "outpatient", "campus": "本部", "department_name": "内科",
             "doctor_name": "李医生", "started_at": at, "ended_at": at, "booked_in_wechat": False,
             "appointment_no": None}  # fmt: skip
    bill = {"visit_key": "V1", "patient_no": "P0001", "bill_no": "B1", "total_fen": 10_000, "fund_fen": 4_000,
            "account_fen": 0, "self_pay_fen": 6_000, "status": "settled", "billed_on": day.isoformat(),
            "settled_at": at}  # fmt: skip
    line = {"bill_key": "B1", "category": "drug", "insurance_code": None, "insurance_class": "甲", "at": at, **_OWN}
    lines = [
        {**line, "line_no": 1, "code": "X1", "name": "阿莫西林胶囊", "unit_price": "12.500000", "quantity": "4.0000",
         "amount_fen": 5_000},
        {**line, "line_no": 2, "code": "X2", "name": "静脉输液", "category": "treatment", "unit_price": "50.000000",
         "quantity": "1.0000", "amount_fen": 5_000},
    ]  # fmt: skip
    diagnosis = {"visit_key": "V1", "code": "J06.900", "name": "急性上呼吸道感染", "main": True,
                 "stage": "outpatient", **_ICD}  # fmt: skip
    note = {"visit_key": "V1", "kind": "medical_record", "title": "门诊病历", "text": "咽痛三天"}
    e_bill = {"bill_key": "B1", "code": "31010126", "number": e_bill_no, "check_code": "abc123",
              "issued_on": day.isoformat(), "status": "issued", "sha256": "0" * 64}  # fmt: skip
    rows: list[Row] = [
        ("visit", "V1", visit),
        ("diagnosis", "D1", diagnosis),
        ("document", "M1", note),
        ("bill", "B1", bill),
    ]
    rows += [("fee_line", f"B1-{one['line_no']}", one) for one in lines]
    return batch(batch_no, "record", day, [*rows, ("e_bill", "E1", e_bill)])


def ledger(batch_no: int, day: date) -> dict[str, Any]:
    number = clearing_number(day, 1)
    row = {"clearing_no": number, "kind": "pay", "original_clearing_no": None, "amount_fen": 6_000, "status": "settled"}
    return batch(batch_no, "ledger", day, [("ledger", number, row)])


def decision(day: date) -> dict[str, Any]:
    """6,000 fen borne: one line paid by 90 %, the other lowered by a ceiling."""
    number = clearing_number(day, 1)
    whole = {"clearing_no": number, "billed_fen": 5_000, "covered_fen": 5_000, "deductible_fen": 0, "ratio": "0.9"}
    ceiling = {"code": "ceiling", "text": "超出剩余保额", "cap_fen": 3_500}
    lines = [
        {**whole, "line_no": 1, "approved_fen": 4_500, "reasons": []},
        {**whole, "line_no": 2, "approved_fen": 1_000, "reasons": [ceiling]},
    ]
    return {"claim_no": CLAIM_NO, "case_no": "CASE-1", "decision_no": "CASE-1-D1", "outcome": "partly",
            "lines": lines, "approved_fen": 5_500}  # fmt: skip


def insurer_messages(day: date) -> dict[str, dict[str, Any]]:
    """File name -> message."""
    asked = {"claim_no": CLAIM_NO, "request_no": "CASE-1-R1", "items": [{"kind": "invoice", "text": "发票原件照片"}],
             "deadline": f"{day + timedelta(days=30)}T18:00:00+08:00"}  # fmt: skip
    ended = {"claim_no": CLAIM_NO, "recovery_no": clearing_number(day, 2), "outcome": "repaid", "amount_fen": 5_500}
    return {
        "case_opened": {"type": "claim.case_opened", "data": {"claim_no": CLAIM_NO, "case_no": "CASE-1"}},
        "documents_requested": {"type": "claim.documents_requested", "data": asked},
        "adjudicated": {"type": "claim.adjudicated", "data": decision(day)},
        "recovery_ended": {"type": "claim.recovery_ended", "data": ended},
        "export_asked": {"type": "claim.export_asked", "data": {"claim_no": CLAIM_NO, "format": "fhir"}},
        "request": {"request_no": "Q1", "hospital": HOSPITAL, "kind": "record.visit", "data": {"claim_no": CLAIM_NO}},
    }


def parts(day: date) -> dict[str, Any]:
    """Of a claim package, in plain text: no paper is drawn for it."""
    bill = {"clearing_no": clearing_number(day, 1), "bill_no": "B1", "total_fen": 10_000, "borne_fen": 6_000}
    insured = {"name": "样例·某某", "document_type": "id_card", "document_no": "11010519491231002X",
               "birth_date": "1949-12-31", "sex": "female"}  # fmt: skip
    return {
        "claim": {"claim_no": CLAIM_NO, "type": "quick", "business_date": day.isoformat(), "asked_fen": 6_000},
        "insured": insured,
        "policy": {"policy_no": "P-SANDBOX", "product_name": "住院医疗保险"},
        "hospital": {"code": HOSPITAL, "name": "沙箱医院"},
        "diagnoses": [{"code": "J06.900", "name": "急性上呼吸道感染", **_ICD}],
        "bills": [bill],
    }


def partner_file(exchange_url: str, partner: str, secret: str, signing: SigningKey) -> dict[str, Any]:
    """What an integrator's program needs to know, `secret` among it."""
    keys = [{"key_id": signing.key_id, "public_key": signing.public_key, "signs": True}]
    return {"exchange_url": exchange_url, "partner": partner, "secret": secret, "platform_keys": {"keys": keys}}
