"""What FHIR's own validation leaves open: references that lead nowhere, and sums that do not add up. And codes, which
hospitals and insurers have made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from app.claim.fhir.elements import SYSTEM, Resource


def problems(bundle: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong, named by resource; empty for a sound bundle. Amounts are Decimal (or int)."""
    entries = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    found = ["two entries have one address"] if len(entries) < len(bundle["entry"]) else []
    for resource in entries.values():
        found += [f"{resource['resourceType']}: {url} is not in the bundle" for url in _urls(resource) - entries.keys()]
        if any(not code or code != " ".join(code.split()) for code in _codes(resource)):
            found.append(f"{resource['resourceType']}: a code has blanks where FHIR has none")
    invoices = {url: one for url, one in entries.items() if one["resourceType"] == "Invoice"}
    for url, invoice in invoices.items():
        found += _invoice(url, invoice)
    for claim in (one for one in entries.values() if one["resourceType"] == "Claim"):
        found += _claim(claim, invoices)
    return found


def _urls(value: Any) -> set[str]:
    """Everything that is referred to."""
    if isinstance(value, list):
        return {url for one in value for url in _urls(one)}
    if not isinstance(value, dict):
        return set()
    mine = {value["reference"]} if isinstance(value.get("reference"), str) else set()
    return mine | {url for one in value.values() for url in _urls(one)}


def _codes(value: Any) -> Iterator[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get("code"), str):
        yield value["code"]
    for one in inner:
        yield from _codes(one)


def _invoice(url: str, invoice: Resource) -> Iterator[str]:
    paid = {one["code"]["coding"][0]["code"]: _amount(one["amount"]) for one in invoice["totalPriceComponent"]}
    if sum(paid.values()) != _amount(invoice["totalGross"]):
        yield f"Invoice {url}: what was paid does not add up to the total"
    if _amount(invoice["totalGross"]) - paid["fund"] != _amount(invoice["totalNet"]):
        yield f"Invoice {url}: the total less the fund's part is not what the patient bore"


def _claim(claim: Resource, invoices: Mapping[str, Resource]) -> Iterator[str]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for item in claim["item"]:
        sums[_sheet(item)] += _amount(item["net"])
    for url, invoice in invoices.items():
        if sums[url] != _amount(invoice["totalGross"]):
            yield f"Invoice {url}: its items do not add up to its total"
    if sum(sums.values()) != _amount(claim["total"]):
        yield "Claim: the items do not add up to the total"


def _sheet(item: Resource) -> str:
    """The settlement sheet that a fee line stands on."""
    return next(one["valueReference"]["reference"] for one in item["extension"] if one["url"] == f"{SYSTEM}:invoice")


def _amount(money: Mapping[str, Any]) -> Decimal:
    return Decimal(money["value"])
