"""Policies and what they say about a person, a bill and a fee line. Pure functions over JSON of the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from mock_partners.insurer.reasons import Reason, of

SHANGHAI = ZoneInfo("Asia/Shanghai")
USUAL_CEILING_FEN = 6_000_000_00
DOCUMENTS_ASKED = [
    {"kind": "invoice_image", "text": "请补充医疗费用电子票据影像"},
    {"kind": "medical_record", "text": "请补充本次就诊的完整病历"},
]


@dataclass(frozen=True)
class Insured:
    name: str
    document_no: str
    document_type: str = ""
    birth_date: str = ""

    def is_same(self, person: Mapping[str, Any]) -> bool:
        """Same document number and name, and birth date where both know it."""
        born = person.get("birth_date")
        return (
            self.document_no.upper() == str(person.get("document_no", "")).upper()
            and self.name == person.get("name")
            and (not self.birth_date or not born or self.birth_date == born)
        )


@dataclass(frozen=True)
class Policy:
    policy_no: str
    product_name: str
    product_filing_no: str
    valid_from: date
    valid_to: date
    insured: Insured
    ratio: Decimal
    deductible_fen: int = 0
    ceiling_fen: int = USUAL_CEILING_FEN
    covers_self_funded: bool = False
    excluded_codes: tuple[str, ...] = ()
    excluded_diagnoses: tuple[str, ...] = ()
    hospitals: tuple[str, ...] | None = None
    documents_asked: tuple[Mapping[str, str], ...] = ()
    rejects: bool = False
    doubts_largest: bool = False
    doubtful_codes: tuple[str, ...] = ()

    def covers(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to


def parse(body: Mapping[str, Any]) -> Policy:
    """A policy from the body of `POST /__mock__/policies`; raises KeyError or ValueError if it is none."""
    valid_to = date.fromisoformat(body["valid_to"])
    if body.get("extended_to"):
        valid_to = max(valid_to, date.fromisoformat(body["extended_to"]))
    ratio = Decimal(body["ratio"])
    if not 0 <= ratio <= 1:
        raise ValueError("ratio must lie between 0 and 1")
    asked = body.get("asks_documents") or ()
    return Policy(
        policy_no=body["policy_no"],
        product_name=body["product_name"],
        product_filing_no=body["product_filing_no"],
        valid_from=date.fromisoformat(body["valid_from"]),
        valid_to=valid_to,
        insured=_insured(body["insured"]),
        ratio=ratio,
        deductible_fen=int(body.get("deductible_fen", 0)),
        ceiling_fen=int(body.get("ceiling_fen") or USUAL_CEILING_FEN),
        covers_self_funded=bool(body.get("covers_self_funded")),
        excluded_codes=tuple(body.get("excluded_codes") or ()),
        excluded_diagnoses=tuple(body.get("excluded_diagnoses") or ()),
        hospitals=tuple(body["hospitals"]) if body.get("hospitals") else None,
        documents_asked=tuple(DOCUMENTS_ASKED if asked is True else asked),
        rejects=bool(body.get("rejects")),
        doubts_largest=bool(body.get("doubts_largest")),
        doubtful_codes=tuple(body.get("doubtful_codes") or ()),
    )


def _insured(body: Mapping[str, Any]) -> Insured:
    return Insured(body["name"], body["document_no"], body.get("document_type", ""), body.get("birth_date") or "")


def day_of(*values: Any) -> date:
    """The business date (Asia/Shanghai) of the first date or time given; raises ValueError if there is none."""
    for value in values:
        if value and len(value) == 10:
            return date.fromisoformat(value)
        if value:
            return datetime.fromisoformat(value).astimezone(SHANGHAI).date()
    raise ValueError("no date")


def reasons_against_visit(policy: Policy, hospital: str, day: date, diagnoses: Iterable[str]) -> list[Reason]:
    """Why a visit at a hospital code with these diagnosis codes is outside the policy's cover; all reasons at once."""
    reasons = []
    if not policy.covers(day):
        reasons.append(of("outside_cover"))
    if policy.hospitals is not None and hospital not in policy.hospitals:
        reasons.append(of("hospital_not_covered"))
    if any(code.startswith(policy.excluded_diagnoses) for code in diagnoses):
        reasons.append(of("excluded_diagnosis"))
    return reasons


def reasons_against_line(policy: Policy, line: Mapping[str, Any]) -> list[Reason]:
    """Why a fee line of a visit inside the cover is not covered; all reasons at once."""
    reasons = []
    code = str(line.get("code") or "")
    if policy.rejects:
        reasons.append(of("waiting_period"))
    if line.get("insurance_class") == "丙" and not policy.covers_self_funded:
        reasons.append(of("self_funded"))
    if code.startswith(policy.excluded_codes):
        reasons.append(of("excluded_code"))
    return reasons


def eligibility(policy: Policy, request: Mapping[str, Any]) -> tuple[bool, list[dict[str, Any]]]:
    """Whether anything of the request lies inside the cover, and per bill the reasons why it does not.

    What is judged only after the package is seen (waiting period, lines, documents) does not count here.
    """
    hospital = request["hospital_code"]
    bills = []
    for bill in request.get("bills") or ():
        day = day_of(bill.get("started_on"), request["on"])
        codes = [str(d.get("code")) for d in bill.get("diagnoses") or ()]
        against = reasons_against_visit(policy, hospital, day, codes)
        bills.append(
            {
                "clearing_no": bill.get("clearing_no"),
                "in_scope": not against,
                "reasons": [reason.as_json() for reason in against],
            }
        )
    if not bills:
        return policy.covers(day_of(request["on"])), bills
    return any(bill["in_scope"] for bill in bills), bills
