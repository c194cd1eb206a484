"""Our commands in the field names of the national medical-insurance interface. Amounts are exact yuan texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hospital_agent.clock import SHANGHAI

CARD = "03"
MED_TYPE = {"outpatient": "11", "inpatient": "21"}
SELF_FUNDED = "丙"

Body = Mapping[str, Any]
Message = dict[str, Any]


def register(body: Body) -> Message:
    """2201: the visit becomes known to the interface."""
    visit = body["visit"]
    return {
        "data": {
            "mdtrt_cert_type": CARD,
            "mdtrt_cert_no": body["medical_card_no"],
            "psn_cert_type": body["document_type"],
            "certno": body["document_no"],
            "psn_name": body["name"],
            "ipt_otp_no": visit["visit_key"],
            "begntime": _local(visit["started_at"]),
            "dept_name": visit["department_name"],
        }
    }


def diagnoses(body: Body, mdtrt_id: str) -> Message:
    """2203: what the visit is for."""
    visit = body["visit"]
    return {
        "mdtrtinfo": {
            "mdtrt_id": mdtrt_id,
            "med_type": MED_TYPE[visit["kind"]],
            "begntime": _local(visit["started_at"]),
        },
        "diseinfo": [
            {
                "diag_srt_no": number,
                "diag_code": diagnosis["code"],
                "diag_name": diagnosis["name"],
                "maindiag_flag": "1" if diagnosis.get("main") else "0",
            }
            for number, diagnosis in enumerate(body["diagnoses"], 1)
        ],
    }


def fees(body: Body, mdtrt_id: str) -> Message:
    """2204: the lines of the bill."""
    return {
        "feedetail": [
            {
                "mdtrt_id": mdtrt_id,
                "chrg_bchno": body["bill"]["bill_key"],
                "feedetl_sn": str(line["line_no"]),
                "medins_list_codg": line["code"],
                "medins_list_name": line["name"],
                "med_chrgitm_type": line["category"],
                "chrgitm_lv": line["insurance_class"] or SELF_FUNDED,
                "pric": line["unit_price"],
                "cnt": line["quantity"],
                "det_item_fee_sumamt": yuan(line["amount_fen"]),
            }
            for line in body["lines"]
        ]
    }


def revoke(bill_key: str, mdtrt_id: str) -> Message:
    """2205: an earlier upload of the bill is taken back."""
    return {"data": {"mdtrt_id": mdtrt_id, "chrg_bchno": bill_key}}


def trial(body: Body, mdtrt_id: str) -> Message:
    """2206: what would each side pay?"""
    return {
        "data": {
            "mdtrt_id": mdtrt_id,
            "chrg_bchno": body["bill"]["bill_key"],
            "medfee_sumamt": yuan(body["bill"]["total_fen"]),
            "acct_used_flag": "1",
        }
    }


def settle(body: Body, trial_data: Body) -> Message:
    """2207: as the trial, for good, under our settlement number; refused when the sides have changed since."""
    return {
        "data": {
            **trial_data,
            "medfee_sumamt": yuan(body["total_fen"]),
            "fund_pay_sumamt": yuan(body["fund_fen"]),
            "acct_pay": yuan(body["account_fen"]),
            "psn_cash_pay": yuan(body["self_pay_fen"]),
            "out_setl_no": body["settlement_no"],
        }
    }


def reverse(setl_id: str, mdtrt_id: str) -> Message:
    """2208: a settlement is cancelled."""
    return {"data": {"setl_id": setl_id, "mdtrt_id": mdtrt_id}}


def self_pay(body: Body) -> Message:
    """ZP01 (extension): the self-pay part has been paid."""
    return {
        "data": {
            "setl_id": body["setl_id"],
            "payment_no": body["payment_no"],
            "psn_cash_pay": yuan(body["self_pay_fen"]),
            "paid_at": body["paid_at"],
        }
    }


def query(settlement_no: str) -> Message:
    """ZP02 (extension): what is known under our settlement number?"""
    return {"data": {"out_setl_no": settlement_no}}


def yuan(fen: int) -> str:
    """Exact yuan text of an amount in fen."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"


def _local(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
