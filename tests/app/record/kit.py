"""A hospital's rows: one visit with a bill that balances, to be spoiled by tests."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from app.exchange.service import OpenBatch, canonical

_keys = itertools.count(1)
CODED: dict[str, Any] = {"code": "J18.9", "code_system": "ICD-10", "code_edition": "clinical-2.0", "name": "肺炎"}
AT = "2026-11-20T09:30:00+08:00"


def key(prefix: str = "k") -> str:
    """A key that no other test has."""
    return f"{prefix}-{next(_keys)}"


def row(type_name: str, row_key: str, version: int = 1, **data: Any) -> dict[str, Any]:
    return {"type": type_name, "key": row_key, "version": version, "data": data}


def visit(row_key: str, version: int = 1, **more: Any) -> dict[str, Any]:
    data = {"patient_no": "P1", "kind": "outpatient", "campus": None, "department_name": "内科",
            "doctor_name": "李医生", "started_at": AT, "ended_at": None,
            "booked_in_wechat": True, "appointment_no": None}  # fmt: skip
    return row("visit", row_key, version, **data | more)


def bill(row_key: str, visit_key: str, version: int = 1, **more: Any) -> dict[str, Any]:
    data = {"visit_key": visit_key, "patient_no": "P1", "bill_no": f"no-{row_key}", "total_fen": 1000, "fund_fen": 600,
            "account_fen": 100, "self_pay_fen": 300, "status": "settled", "billed_on": "2026-11-20",
            "settled_at": AT}  # fmt: skip
    return row("bill", row_key, version, **data | more)


def line(row_key: str, bill_key: str, version: int = 1, **more: Any) -> dict[str, Any]:
    data = {"bill_key": bill_key, "line_no": 1, "category": "drug", **CODED, "insurance_code": None,
            "unit_price": "5.000000", "quantity": "2.0000", "amount_fen": 1000, "insurance_class": "甲",
            "at": AT}  # fmt: skip
    return row("fee_line", row_key, version, **data | more)


def e_bill(row_key: str, bill_key: str, version: int = 1, **more: Any) -> dict[str, Any]:
    data = {"bill_key": bill_key, "code": "31060122", "number": row_key, "check_code": "abc123",
            "issued_on": "2026-11-20", "status": "issued", "sha256": "0" * 64}  # fmt: skip
    return row("e_bill", row_key, version, **data | more)


def report(row_key: str, visit_key: str, version: int = 1, **more: Any) -> dict[str, Any]:
    data = {"visit_key": visit_key, "kind": "lab", "title": "血常规", "summary": "白细胞升高", "at": AT}
    return row("report", row_key, version, **data | more)


def document(row_key: str, visit_key: str, version: int = 1, **more: Any) -> dict[str, Any]:
    data = {"visit_key": visit_key, "kind": "medical_record", "title": "门诊病历", "text": "咳嗽三天"}
    return row("document", row_key, version, **data | more)


def whole(patient_no: str = "P1", **bill_more: Any) -> dict[str, dict[str, Any]]:
    """One row of each type, by type; parents first."""
    v, b = key("v"), key("b")
    return {
        "visit": visit(v, patient_no=patient_no),
        "diagnosis": row("diagnosis", key("d"), visit_key=v, **CODED, main=True, stage="outpatient"),
        "procedure": row("procedure", key("p"), visit_key=v, **CODED, at=AT),
        "report": report(key("r"), v),
        "document": document(key("t"), v),
        "bill": bill(b, v, **{"patient_no": patient_no} | bill_more),
        "fee_line": line(key("l"), b),
        "e_bill": e_bill(key("e"), b),
    }


def open_batch(hospital_id: UUID, rows: Sequence[dict[str, Any]]) -> OpenBatch:
    """As the exchange opens a batch, without having taken it."""
    day, content = date(2026, 11, 21), canonical({"rows": rows})
    return OpenBatch(uuid4(), hospital_id, uuid4(), 1, "record", day, datetime.now(UTC), content)
