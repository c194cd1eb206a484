"""What a claim hands to an insurer's client, as app.claim.delivery makes it: one bill or more, with everything."""

from __future__ import annotations

from typing import Any

from mock_partners.books import clearing_no

DAY = "2026-11-21"
AT = "2026-11-21T02:00:00+00:00"
CODED = {"code_system": "ICD-10", "code_edition": "国家临床版2.0"}
PERSON = {"name": "张三", "document_type": "id_card", "document_no": "11010519491231002X", "birth_date": "1949-12-31"}
POLICY = {
    "policy_no": "P1",
    "product_name": "住院医疗保险",
    "product_filing_no": "C1",
    "valid_from": "2026-01-01",
    "valid_to": "2026-12-31",
    "insured": PERSON,
    "ratio": "0.90",
}


def fee(number: int, amount_fen: int) -> dict[str, Any]:
    return {
        "line_no": number, "category": "drug", "insurance_code": None, "insurance_class": "甲",
        "unit_price": f"{abs(amount_fen) / 100:.6f}", "quantity": "-1.0000" if amount_fen < 0 else "1.0000",
        "amount_fen": amount_fen, "at": AT, "code": f"X{number}", "code_system": "hospital", "code_edition": "2026",
        "name": "药品",
    }  # fmt: skip


def bill(amounts: list[int], ordinal: int = 1, fund_fen: int = 0) -> dict[str, Any]:
    total = sum(amounts)
    return {
        "clearing_no": clearing_no(DAY, ordinal), "bill_no": f"B{ordinal}", "visit_key": f"V{ordinal}",
        "total_fen": total, "fund_fen": fund_fen, "account_fen": 0, "self_pay_fen": total - fund_fen,
        "borne_fen": total - fund_fen, "lines": [fee(number, amount) for number, amount in enumerate(amounts, 1)],
    }  # fmt: skip


def claim(*bills: dict[str, Any], version: int = 1, claim_no: str = "CL1") -> dict[str, Any]:
    keys = [one["visit_key"] for one in bills]
    parts = {
        "claim": {"asked_fen": sum(one["borne_fen"] for one in bills), "payee": {"kind": "bank", "relation": "self"}},
        "insured": PERSON,
        "hospital": {"code": "H1", "name": "第一医院"},
        "visits": [
            {"visit_key": key, "kind": "outpatient", "department_name": "内科", "doctor_name": "李医生",
             "started_at": AT, "ended_at": None}
            for key in keys
        ],
        "diagnoses": [
            {"visit_key": key, "main": True, "stage": "outpatient", "code": "J06.900", "name": "上呼吸道感染", **CODED}
            for key in keys
        ],
        "procedures": [{"visit_key": key, "at": AT, "code": "99.2", "name": "注射", **CODED} for key in keys],
        "documents": [
            {"visit_key": key, "kind": "medical_record", "title": "病历", "sha256": "0" * 64, "text": "咽痛"}
            for key in keys
        ],
        "bills": list(bills),
        "e_bills": [
            {"clearing_no": one["clearing_no"], "code": "31", "number": one["bill_no"], "check_code": "abc",
             "issued_on": DAY, "status": "issued", "sha256": "0" * 64}
            for one in bills
        ],
        "consent": {"purpose": "claim", "scope": ["bills"]},
        "application_form": {"claim_no": claim_no},
    }  # fmt: skip
    manifest = {"package_version": version, "root": f"root-{version}", "key_id": "k1", "signature": "c2ln"}
    return {
        "claim_no": claim_no,
        "policy_no": "P1",
        "package": {"manifest": manifest, "parts": parts},
        "documents": [],
        "remainders": [{"clearing_no": one["clearing_no"], "max_fen": one["borne_fen"]} for one in bills],
    }


def case_of(delivered: dict[str, Any]) -> dict[str, Any]:
    """What is asked about a case that was delivered so."""
    lines = {
        one["clearing_no"]: [(line["line_no"], line["amount_fen"]) for line in one["lines"]]
        for one in delivered["package"]["parts"]["bills"]
    }
    return {"claim_no": delivered["claim_no"], "lines": lines, "decision": None}
