from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from mock_partners.his import generator, policies, population
from mock_partners.his.parts import Cover, Part
from mock_partners.his.people import EarlierBill, Person
from tests.mock_partners.his.conftest import WORLD, Filling

DAY = date(2026, 11, 21)


def _plan(patients: int, seed: int = 1) -> list[Part]:
    people = generator.people(seed, patients, DAY, ["H1", "H2"])
    for code in ("H1", "H2"):
        generator.hospital_chart(seed, code, [p for p in people if p.hospital == code], DAY)
    return population.plan(people, policies.invent(people, WORLD["insurers"], DAY), DAY)


@pytest.mark.parametrize("patients", [8, 9, 20, 60, 133])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_case_has_somebody_from_eight_people_on(patients: int, seed: int) -> None:
    count = Counter(case for part in _plan(patients, seed) for case in part.cases)
    assert set(count) == set(population.CASES)


def test_the_policies_make_the_cases() -> None:
    shown = {case: part.as_json() for part in _plan(8) for case in part.cases}
    assert shown["not_insured"]["policies"] == [] and shown["not_insured"]["claims"] == []
    assert shown["rejection"]["policies"][0]["rejects"]
    assert shown["documents_asked"]["policies"][0]["asks_documents"]
    assert shown["line_appeal"]["policies"][0]["doubts_largest"]
    assert shown["guardian"]["guardian"]["relation"] == "child"
    assert shown["partial_approval"]["policies"][0]["ceiling_fen"] < 50_000_000


def test_two_policies_meet_one_bill() -> None:
    part = next(part for part in _plan(8) if "two_policies" in part.cases)
    (first, bills), (second, same) = part.claims
    assert first.insurer != second.insurer
    assert bills == same and len(bills) == 1


def test_a_reversed_e_bill_is_not_the_one_that_is_claimed() -> None:
    for part in _plan(60):
        assert (part.reversed_bill is not None) == ("reversed_ebill" in part.cases)
        claimed = [bill for _, bills in part.claims for bill in bills]
        assert part.reversed_bill not in claimed
        assert all(bill.claimable for bill in claimed)
        assert len(claimed) <= 3


def test_large_sums_go_to_bank_cards() -> None:
    parts = _plan(60)
    assert any(part.claimed_fen >= population.LARGE_FEN for part in parts)
    for part in parts:
        assert part.claimed_fen < population.LARGE_FEN or "wechat_payee" not in part.cases
        assert not {"bank_payee", "wechat_payee"} <= set(part.cases)
        assert "wechat_payee" in part.cases or "unconfirmed_transfer" not in part.cases


def _person(bills: Sequence[EarlierBill] = (), *, alive: bool = True) -> Person:
    return Person("P", "H1", "a", "1", "1", date(1980, 1, 1), "male", "C", alive=alive, bills=list(bills))


def _cover(start: date, end: date) -> Cover:
    return Cover("I1", f"N{start}", "p", "f", start, end)


def test_only_a_balanced_bill_inside_a_cover_is_claimed_else_the_visit_of_the_day() -> None:
    old = EarlierBill("B1", DAY - timedelta(days=900), 500, 400, balanced=True)
    broken = EarlierBill("B2", DAY - timedelta(days=3), 500, 400, balanced=False)
    free = EarlierBill("B3", DAY - timedelta(days=2), 0, 0, balanced=True)
    cover = _cover(DAY - timedelta(days=10), DAY)
    (part,) = population.plan([_person([old, broken, free])], {"P": [cover]}, DAY)
    assert part.claims == [(cover, [])]
    good = EarlierBill("B4", DAY - timedelta(days=10), 500, 400, balanced=True)
    (part,) = population.plan([_person([old, good])], {"P": [cover]}, DAY)
    assert part.claims == [(cover, [good])]


def test_the_dead_have_no_part_in_the_day() -> None:
    cover = _cover(DAY, DAY)
    (part,) = population.plan([_person(alive=False)], {"P": [cover]}, DAY)
    assert (part.cases, part.claims) == ([], [])


def test_people_are_shown_with_their_plan(built_in: Filling) -> None:
    assert len(built_in.people) == 20
    for person in built_in.people:
        assert person["payee"] == (
            "wechat" if "wechat_payee" in person["cases"] else "bank" if "bank_payee" in person["cases"] else None
        )
        assert {policy["insured"]["document_no"] for policy in person["policies"]} <= {person["document_no"]}
