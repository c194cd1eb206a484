"""The FHIR export of packages as the product seals them: valid for fhir.resources, and sound by our own checks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from app.claim import versions
from app.claim.export import as_fhir
from app.claim.fhir.bundle import bundle
from app.claim.fhir.checks import problems
from app.claim.fhir.elements import money, to_json
from app.claim.queries import lookup
from tests.app.claim.kit import at_the_insurer
from tests.app.town import Town


def plain_package(town: Town, claim_id: Any) -> dict[str, Any]:
    with town.runtime.work() as work:
        sealed = lookup.latest_package(work.session, claim_id)
        assert sealed is not None
        return versions.read(work, sealed, "a test")


@pytest.fixture
def package(town: Town) -> dict[str, Any]:
    who = town.insured("欧阳·娜")
    return plain_package(town, at_the_insurer(town, who, 6_000, 4_000, -1_000))


def test_a_package_is_valid_fhir_with_every_resource(package: dict[str, Any]) -> None:
    text = as_fhir(package)
    valid: Any = Bundle.model_validate_json(text)
    kinds = [entry.resource.__resource_type__ for entry in valid.entry]
    assert set(kinds) == {
        "Claim", "Patient", "Coverage", "Organization", "Encounter", "Condition", "Invoice", "DocumentReference",
        "Consent", "Provenance",
    }  # fmt: skip
    claim = next(entry.resource for entry in valid.entry if entry.resource.__resource_type__ == "Claim")
    assert (claim.total.value, claim.total.currency) == (Decimal("90.00"), "CNY")
    assert [item.net.value for item in claim.item] == [Decimal("60.00"), Decimal("40.00"), Decimal("-10.00")]
    assert '"value":60.00,' in text, "exact, and a number"


def test_an_e_bill_without_a_file_has_no_address(package: dict[str, Any]) -> None:
    package["parts"]["e_bills"][0]["sha256"] = None
    text = as_fhir(package)
    valid: Any = Bundle.model_validate_json(text)
    papers = [one.resource for one in valid.entry if one.resource.__resource_type__ == "DocumentReference"]
    addresses = {one.content[0].attachment.title: one.content[0].attachment.url for one in papers}
    assert addresses.pop("电子票据") is None
    assert all(address.startswith("urn:sha256:") for address in addresses.values())


@pytest.mark.parametrize(("code", "written"), [("A  B", "A B"), (" AB", "AB"), ("A B ", "A B"), (" ", None)])
def test_codes_are_written_as_fhir_writes_them(package: dict[str, Any], code: str, written: str | None) -> None:
    package["parts"]["diagnoses"][0]["code"] = code
    package["parts"]["bills"][0]["lines"][0]["code"] = code
    package["parts"]["policy"]["product_filing_no"] = code
    valid: Any = Bundle.model_validate_json(as_fhir(package))
    found = {one.resource.__resource_type__: one.resource for one in valid.entry}
    assert found["Condition"].code.coding[0].code == found["Coverage"].type.coding[0].code == written
    assert found["Claim"].item[0].productOrService.coding[0].code == written
    assert package["parts"]["diagnoses"][0]["code"] == code, "the package says what the hospital said"


def test_the_same_package_gives_the_same_bundle(package: dict[str, Any]) -> None:
    assert as_fhir(package) == as_fhir(copy.deepcopy(package))


def test_operations_and_a_stay_are_told(package: dict[str, Any]) -> None:
    visit = package["parts"]["visits"][0]
    visit["kind"] = "inpatient"
    operation = {
        "visit_key": visit["visit_key"], "at": "2026-11-21T02:00:00+00:00", "code": "47.0900", "name": "阑尾切除术",
        "code_system": "ICD-9-CM-3", "code_edition": "国家临床版3.0",
    }  # fmt: skip
    package["parts"]["procedures"] = [operation]
    valid: Any = Bundle.model_validate_json(as_fhir(package))
    found = {entry.resource.__resource_type__: entry.resource for entry in valid.entry}
    assert found["Procedure"].code.coding[0].code == "47.0900"
    assert found["Encounter"].class_fhir.code == "IMP"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda b: b["entry"].pop(0), "is not in the bundle"),
        (lambda b: b["entry"].append(b["entry"][0]), "two entries have one address"),
        (lambda b: _of(b, "Claim")["item"].pop(), "items do not add up to its total"),
        (lambda b: _of(b, "Condition")["code"]["coding"][0].update(code=" J06.900"), "has blanks where FHIR has none"),
        (lambda b: _of(b, "Condition")["code"]["coding"][0].update(code=""), "has blanks where FHIR has none"),
        (lambda b: _of(b, "Claim").update(total=money(1)), "items do not add up to the total"),
        (lambda b: _of(b, "Invoice").update(totalNet=money(1)), "is not what the patient bore"),
        (lambda b: _of(b, "Invoice")["totalPriceComponent"][2].update(amount=money(1)), "what was paid"),
    ],
)
def test_what_fhir_leaves_open_is_found(package: dict[str, Any], spoil: Callable[[Any], Any], said: str) -> None:
    made = bundle(package)
    assert problems(made) == []
    spoil(made)
    assert [problem for problem in problems(made) if said in problem]


def _of(made: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == kind)
    return found


@given(st.integers(-(10**13), 10**13))
def test_amounts_reach_the_text_exactly(amount_fen: int) -> None:
    read = json.loads(to_json(money(amount_fen)), parse_float=Decimal)
    assert read["value"] * 100 == amount_fen
