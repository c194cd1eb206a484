"""The fields of every row type that crosses the exchange; a mapping must name all of them and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Fields:
    """Those of one row type: the platform refuses a row that lacks a `required` one, the `nullable` may be null."""

    required: frozenset[str]
    nullable: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        return self.required | self.nullable


_CODE = frozenset({"code", "code_system", "code_edition", "name"})

ROW_FIELDS: Mapping[str, Fields] = {
    "department": Fields(frozenset({"code", "name"})),
    "doctor": Fields(frozenset({"code", "name", "department_code"}), frozenset({"title"})),
    "slot": Fields(
        frozenset({"doctor_code", "department_code", "starts_at", "ends_at", "capacity", "fee_fen", "status"})
    ),
    "visit": Fields(
        frozenset({"patient_no", "kind", "department_name", "started_at", "booked_in_wechat"}),
        frozenset({"campus", "doctor_name", "ended_at", "appointment_no"}),
    ),
    "diagnosis": Fields(_CODE | {"visit_key", "main", "stage"}),
    "procedure": Fields(_CODE | {"visit_key", "at"}),
    "report": Fields(frozenset({"visit_key", "kind", "title", "summary", "at"})),
    "document": Fields(frozenset({"visit_key", "kind", "title", "text"})),
    "bill": Fields(
        frozenset({"visit_key", "patient_no", "bill_no", "total_fen", "fund_fen", "account_fen", "self_pay_fen"})
        | {"status", "billed_on"},
        frozenset({"settled_at"}),
    ),
    "fee_line": Fields(
        _CODE | {"bill_key", "line_no", "category", "unit_price", "quantity", "amount_fen", "at"},
        frozenset({"insurance_code", "insurance_class"}),
    ),
    "e_bill": Fields(
        frozenset({"bill_key", "code", "number", "check_code", "issued_on", "status"}), frozenset({"sha256"})
    ),
    "patient": Fields(
        frozenset(), frozenset({"name", "document_type", "document_no", "phone", "birth_date", "sex", "alive"})
    ),
}

LEDGER_FIELDS: Mapping[str, Fields] = {
    "borne": Fields(frozenset({"amount_fen", "status"}), frozenset({"at"})),
    "own": Fields(
        frozenset({"clearing_no", "amount_fen", "status"}), frozenset({"kind", "original_clearing_no", "at"})
    ),
}
