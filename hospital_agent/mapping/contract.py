"""The fields of every row type that crosses the exchange; a mapping must name all of them and no others."""

from __future__ import annotations

_CODE = frozenset({"code", "code_system", "code_edition", "name"})

ROW_FIELDS: dict[str, frozenset[str]] = {
    "department": frozenset({"code", "name"}),
    "doctor": frozenset({"code", "name", "title", "department_code"}),
    "slot": frozenset({"doctor_code", "department_code", "starts_at", "ends_at", "capacity", "fee_fen", "status"}),
    "visit": frozenset(
        {"patient_no", "kind", "campus", "department_name", "doctor_name", "started_at", "ended_at"}
        | {"booked_in_wechat", "appointment_no"}
    ),
    "diagnosis": _CODE | {"visit_key", "main", "stage"},
    "procedure": _CODE | {"visit_key", "at"},
    "report": frozenset({"visit_key", "kind", "title", "summary", "at"}),
    "document": frozenset({"visit_key", "kind", "title", "text"}),
    "bill": frozenset(
        {"visit_key", "patient_no", "bill_no", "total_fen", "fund_fen", "account_fen", "self_pay_fen"}
        | {"status", "billed_on", "settled_at"}
    ),
    "fee_line": _CODE
    | {"bill_key", "line_no", "category", "insurance_code", "unit_price", "quantity", "amount_fen"}
    | {"insurance_class", "at"},
    "e_bill": frozenset({"bill_key", "code", "number", "check_code", "issued_on", "status", "sha256"}),
    "patient": frozenset({"name", "document_type", "document_no", "phone", "birth_date", "sex", "alive"}),
}

LEDGER_FIELDS: dict[str, frozenset[str]] = {
    "borne": frozenset({"amount_fen", "status", "at"}),
    "own": frozenset({"clearing_no", "kind", "original_clearing_no", "amount_fen", "status", "at"}),
}
