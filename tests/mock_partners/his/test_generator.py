from __future__ import annotations

from datetime import date
from decimal import Decimal

from mock_partners.his import generator
from mock_partners.his.chart import Chart
from mock_partners.his.numbers import is_identity_number, sex_of
from mock_partners.his.people import Person, age_on
from tests.mock_partners.his.conftest import Filling

DAY = date(2026, 11, 21)


def _make(seed: int = 1, patients: int = 40) -> tuple[list[Person], dict[str, Chart]]:
    people = generator.people(seed, patients, DAY, ["H1", "H2"])
    charts = {
        code: generator.hospital_chart(seed, code, [p for p in people if p.hospital == code], DAY)
        for code in ("H1", "H2")
    }
    return people, charts


def test_the_same_seed_makes_the_same_hospital_and_another_seed_another_one() -> None:
    first, second, other = _make(), _make(), _make(seed=2)
    assert first[1]["H1"].tables == second[1]["H1"].tables
    assert first[0] == second[0]
    assert first[1]["H1"].tables != other[1]["H1"].tables


def test_people_are_distinct_and_their_documents_fit() -> None:
    people, _ = _make(patients=400)
    assert len({person.document_no for person in people}) == 400
    adults = [person for person in people if person.guardian is None]
    assert len({person.phone for person in adults}) == len(adults)
    for person in people:
        assert is_identity_number(person.document_no)
        assert sex_of(person.document_no) == person.sex
        assert (age_on(person.birth_date, DAY) < 14) == (person.guardian is not None)
        if person.guardian:
            assert is_identity_number(person.guardian.document_no)
            assert age_on(person.guardian.birth_date, person.birth_date) >= 18


def test_everyone_has_one_to_three_earlier_bills_in_one_hospital() -> None:
    people, _ = _make(patients=60)
    assert {len(person.bills) for person in people} == {1, 2, 3}
    assert all(any(bill.claimable for bill in person.bills) for person in people)
    assert sum(bill.borne_fen > 1_000_000 for person in people for bill in person.bills) >= 3
    assert sum(not bill.balanced for person in people for bill in person.bills) >= 3


def test_lines_add_up_to_bills_and_only_the_chosen_bills_do_not_balance(built_in: Filling) -> None:
    unbalanced = 0
    for hospital in ("H1", "H2"):
        bills = built_in.rows(hospital, "SELECT * FROM sf_jsd JOIN LATERAL (SELECT sum(je) AS je FROM sf_mx"
                              " WHERE sf_mx.jsdh = sf_jsd.jsdh) m ON true")  # fmt: skip
        assert bills
        for bill in bills:
            assert bill["je"] == bill["zje"]
            unbalanced += bill["tczf"] + bill["zhzf"] + bill["grzf"] != bill["zje"]
    assert unbalanced == sum(person["unbalanced_bills"] for person in built_in.people) == 2


def test_prices_have_six_places_quantities_four_and_drugs_come_back(built_in: Filling) -> None:
    lines = [line for code in ("H1", "H2") for line in built_in.rows(code, "SELECT dj, sl, je FROM sf_mx")]
    assert any(line["dj"] != line["dj"].quantize(Decimal("0.0001")) for line in lines)
    assert any(line["sl"] != line["sl"].to_integral() for line in lines)
    assert any(line["sl"] < 0 and line["je"] < 0 for line in lines)
    assert {line["sl"].as_tuple().exponent for line in lines} == {-4}


def test_the_days_slots_are_enough_for_everyone_and_one_is_stopped(built_in: Filling) -> None:
    for code in ("H1", "H2"):
        slots = built_in.rows(code, "SELECT * FROM gh_hy WHERE kssj::date = %s", DAY)
        assert sum(slot["xhs"] for slot in slots if slot["zt"] == "1") >= 20
        assert sum(slot["zt"] == "0" for slot in slots) == 1
        assert {slot["ghf"] for slot in slots} == {Decimal(0), Decimal(50)}
