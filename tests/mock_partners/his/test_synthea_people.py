from __future__ import annotations

import csv
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

from mock_partners.his.numbers import is_identity_number
from mock_partners.his.population import CASES
from tests.mock_partners.his.conftest import Filling

PUBLIC = {"Medicare", "Medicaid", "Dual Eligible", "NO_INSURANCE"}


def _read(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _balances(folder: Path) -> dict[str, tuple[Decimal, Decimal]]:
    """Claim -> (charged, paid), from the files alone."""
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in _read(folder, "claims_transactions"):
        sums[row["CLAIMID"]][0] += Decimal(row["AMOUNT"]) if row["TYPE"] == "CHARGE" else 0
        sums[row["CLAIMID"]][1] += Decimal(row["PAYMENTS"]) if row["TYPE"] == "PAYMENT" else 0
    return {claim: (charged, paid) for claim, (charged, paid) in sums.items()}


def test_everyone_has_a_document_a_phone_and_a_name_without_digits(small: Filling) -> None:
    by_number = {person["patient_no"]: person for person in small.people}
    assert set(by_number) == {"adult", "child", "dead"}
    assert by_number["adult"]["name"] == "Ann adult"
    assert by_number["adult"]["document_no"][6:14] == "19800229"
    assert all(is_identity_number(person["document_no"]) for person in small.people)
    assert len({person["phone"] for person in small.people}) == 3


def test_a_child_has_an_invented_guardian_and_the_dead_no_case(small: Filling) -> None:
    by_number = {person["patient_no"]: person for person in small.people}
    guardian = by_number["child"]["guardian"]
    assert is_identity_number(guardian["document_no"]) and guardian["phone"] == by_number["child"]["phone"]
    assert by_number["child"]["cases"] == ["guardian", "not_insured", "refund"]
    assert (by_number["dead"]["alive"], by_number["dead"]["cases"]) == (False, [])


def test_only_commercial_covers_are_policies_and_the_last_ones_are_extended(small: Filling) -> None:
    by_number = {person["patient_no"]: person for person in small.people}
    covers = [(p["insurer"], p["valid_from"], p["extended_to"]) for p in by_number["adult"]["policies"]]
    assert covers == [("I1", "2023-01-01", "2026-11-21"), ("I2", "2024-01-01", "2026-11-21")]
    assert by_number["child"]["policies"] == []
    assert [p["extended_to"] for p in by_number["dead"]["policies"]] == [None]


def test_only_bills_that_balance_and_are_not_zero_have_an_e_bill(small: Filling) -> None:
    found = {row["jsdh"] for code in ("H1", "H2") for row in small.rows(code, "SELECT jsdh FROM sf_dzpj")}
    assert found == {"bill-1", "bill-2", "bill-5", "bill-6"}
    book = {row["jsdh"]: row["grzf"] for code in ("H1", "H2") for row in small.rows(code, "SELECT * FROM sf_szz")}
    assert book["bill-1"] == Decimal("60.75") and len(book) == 6


def test_a_whole_sample_is_counted_as_the_files_say(sample: Filling, sample_folder: Path) -> None:
    balances = _balances(sample_folder)
    refused = sum(charged != paid for charged, paid in balances.values())
    assert sum(person["bills"] for person in sample.people) == len(_read(sample_folder, "claims"))
    assert sum(person["unbalanced_bills"] for person in sample.people) == refused
    payers = {row["Id"]: row["NAME"] for row in _read(sample_folder, "payers")}
    commercial = [r for r in _read(sample_folder, "payer_transitions") if payers[r["PAYER"]] not in PUBLIC]
    assert sum(len(person["policies"]) for person in sample.people) == len(commercial)
    dead = [row["Id"] for row in _read(sample_folder, "patients") if row["DEATHDATE"]]
    assert sorted(person["patient_no"] for person in sample.people if not person["alive"]) == sorted(dead)
    children = [r for r in _read(sample_folder, "patients") if r["BIRTHDATE"] > "2012-11-21" and not r["DEATHDATE"]]
    assert sum(person["guardian"] is not None for person in sample.people) == len(children)


def test_a_whole_sample_shows_every_case_and_claims_what_can_be_claimed(sample: Filling, sample_folder: Path) -> None:
    assert set(Counter(case for person in sample.people for case in person["cases"])) == set(CASES)
    balances = _balances(sample_folder)
    served = {row["Id"]: row["SERVICEDATE"][:10] for row in _read(sample_folder, "claims")}
    for person in sample.people:
        policies = {policy["policy_no"]: policy for policy in person["policies"]}
        assert len(policies) == len(person["policies"])
        assert bool(person["claims"]) == (bool(policies) and person["alive"])
        for claim in person["claims"]:
            policy = policies[claim["policy_no"]]
            for key in claim["bill_keys"]:
                charged, paid = balances[key]
                assert charged == paid > 0
                assert policy["valid_from"] <= served[key] or served[key] == policy["valid_from"]
                assert served[key] <= max(policy["valid_to"], policy["extended_to"] or "")
