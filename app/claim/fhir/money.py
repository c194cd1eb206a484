"""What was charged, who paid it, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.claim.fhir.elements import SYSTEM, TERMS, Entries, Resource, coded, coding, identifier, money
from app.core.clock import shanghai_date


def invoice(made: Entries, bill: Mapping[str, Any]) -> None:
    """The settlement sheet: what each side paid adds up to the total; `totalNet` is what the patient bore."""
    shares = (("fund", "fund_fen"), ("personal-account", "account_fen"), ("self-pay", "self_pay_fen"))
    made.add(
        f"bill:{bill['clearing_no']}", "Invoice",
        status="issued",
        identifier=[identifier("clearing", bill["clearing_no"]), identifier("bill", bill["bill_no"])],
        subject=made.to("patient"),
        issuer=made.to("hospital"),
        totalPriceComponent=[
            {"type": "informational", "code": {"coding": [coding("payer", name)]}, "amount": money(bill[member])}
            for name, member in shares
        ],
        totalGross=money(bill["total_fen"]),
        totalNet=money(bill["borne_fen"]),
    )  # fmt: skip


def claim(made: Entries, parts: Mapping[str, Any]) -> None:
    asked = parts["claim"]
    lines = [(bill, line) for bill in parts["bills"] for line in bill["lines"]]
    inpatient = any(visit["kind"] == "inpatient" for visit in parts["visits"])
    payee = "subscriber" if asked["payee"]["relation"] == "self" else "other"
    made.add(
        "claim", "Claim",
        status="active",
        identifier=[identifier("claim", asked["claim_no"])],
        type={"coding": [{"system": f"{TERMS}/claim-type", "code": "institutional" if inpatient else "professional"}]},
        use="claim",
        patient=made.to("patient"),
        created=asked["created_at"],
        insurer=made.to("insurer"),
        provider=made.to("hospital"),
        priority={"coding": [{"system": f"{TERMS}/processpriority", "code": "normal"}]},
        payee={"type": {"coding": [{"system": f"{TERMS}/payeetype", "code": payee}]}},
        diagnosis=_diagnoses(made, parts["diagnoses"]),
        procedure=[
            {"sequence": number, "procedureReference": made.to(f"procedure:{number}")}
            for number, _ in enumerate(parts["procedures"], 1)
        ],
        insurance=[{"sequence": 1, "focal": True, "coverage": made.to("coverage")}],
        item=[_item(made, number, bill, line) for number, (bill, line) in enumerate(lines, 1)],
        total=money(sum(bill["total_fen"] for bill in parts["bills"])),
    )  # fmt: skip


def _diagnoses(made: Entries, listed: Sequence[Mapping[str, Any]]) -> list[Resource]:
    """The main one is marked."""
    found: list[Resource] = []
    for number, one in enumerate(listed, 1):
        found.append({"sequence": number, "diagnosisReference": made.to(f"diagnosis:{number}")})
        if one["main"]:
            found[-1]["type"] = [{"coding": [{"system": f"{TERMS}/ex-diagnosistype", "code": "principal"}]}]
    return found


def _item(made: Entries, number: int, bill: Mapping[str, Any], line: Mapping[str, Any]) -> Resource:
    """One fee line; `net` is the hospital's own figure. The extension names the settlement sheet it stands on."""
    return {
        "extension": [{"url": f"{SYSTEM}:invoice", "valueReference": made.to(f"bill:{bill['clearing_no']}")}],
        "sequence": number,
        "productOrService": coded(line),
        "category": {"coding": [coding("category", line["category"])]},
        "servicedDate": shanghai_date(datetime.fromisoformat(line["at"])).isoformat(),
        "quantity": {"value": Decimal(line["quantity"])},
        "unitPrice": {"value": Decimal(line["unit_price"]), "currency": "CNY"},
        "net": money(line["amount_fen"]),
        "encounter": [made.to(f"visit:{bill['visit_key']}")],
    }
