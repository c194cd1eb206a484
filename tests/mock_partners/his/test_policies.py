from __future__ import annotations

from datetime import date

from mock_partners.his import policies
from mock_partners.his.people import Person
from tests.mock_partners.his.conftest import WORLD

DAY = date(2026, 11, 21)


def _person(number: str, *, alive: bool = True, insured: bool = True) -> Person:
    return Person(number, "H1", "a", number, "1", date(1980, 1, 1), "male", "C", alive=alive, insured=insured)


def _row(patient: str, payer: str, start: date, end: date) -> dict[str, object]:
    return {"patient_no": patient, "member": f"{patient}{start}", "payer": payer, "valid_from": start, "valid_to": end}


def test_invented_policies_cover_the_day_and_are_shared_out() -> None:
    people = [_person(f"P{n}", insured=n != 3) for n in range(16)]
    covers = policies.invent(people, WORLD["insurers"], DAY)
    assert "P3" not in covers and len(covers) == 15
    assert all(cover.holds(DAY) for mine in covers.values() for cover in mine)
    assert {cover.insurer for mine in covers.values() for cover in mine} == {"I1", "I2"}
    assert [len(covers[f"P{n}"]) for n in (6, 7, 15)] == [1, 2, 2]
    numbers = [cover.policy_no for mine in covers.values() for cover in mine]
    assert len(set(numbers)) == len(numbers)


def test_the_last_cover_of_a_sample_is_extended_to_the_day() -> None:
    rows = [_row("P1", "A", date(2010, 1, 1), date(2011, 1, 1)), _row("P1", "A", date(2011, 1, 1), date(2012, 1, 1))]
    (first, last) = policies.from_sample(rows, [_person("P1")], WORLD["insurers"], DAY)["P1"]
    assert first.extended_to is None and not first.holds(DAY)
    assert (last.valid_to, last.extended_to) == (date(2012, 1, 1), DAY)
    assert last.holds(DAY) and last.policy_no != first.policy_no


def test_someone_who_changed_the_insurer_has_a_cover_at_each() -> None:
    rows = [_row("P1", "A", date(2010, 1, 1), date(2011, 1, 1)), _row("P1", "B", date(2011, 1, 1), date(2012, 1, 1))]
    covers = policies.from_sample(rows, [_person("P1")], WORLD["insurers"], DAY)["P1"]
    assert [(cover.insurer, cover.holds(DAY)) for cover in covers] == [("I1", True), ("I2", True)]


def test_the_covers_of_the_dead_stay_as_they_were() -> None:
    rows = [_row("P1", "A", date(2010, 1, 1), date(2011, 1, 1))]
    (cover,) = policies.from_sample(rows, [_person("P1", alive=False)], WORLD["insurers"], DAY)["P1"]
    assert cover.extended_to is None
