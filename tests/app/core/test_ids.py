from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import ids

DAYS = st.dates(date(2020, 1, 1), date(2099, 12, 31))


def test_ids_sort_by_their_making_and_are_never_equal() -> None:
    made = [ids.new_id() for _ in range(10_000)]
    assert made == sorted(made) and len(set(made)) == len(made)
    assert {one.version for one in made} == {7}


def test_many_ids_are_as_those_made_one_by_one() -> None:
    made = [UUID(one) for one in ids.new_ids(10_000)]
    assert made == sorted(made) and len(set(made)) == len(made)
    assert {one.version for one in made} == {7}


@pytest.mark.parametrize(("digits", "check"), [("7992739871", "3"), ("0", "0"), ("411111111111111", "1")])
def test_the_check_digit_is_that_of_iso_7812(digits: str, check: str) -> None:
    assert ids.luhn_digit(digits) == check


@given(DAYS, st.integers(0, 9_999_999_999), st.integers(0, 18), st.integers(1, 9))
def test_one_wrong_digit_of_a_clearing_number_is_seen(day: date, ordinal: int, place: int, step: int) -> None:
    number = ids.clearing_number(day, ordinal)
    assert len(number) == 19 and number.startswith(f"{day:%Y%m%d}") and int(number[8:18]) == ordinal
    assert ids.luhn_digit(number[:-1]) == number[-1]
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    assert ids.luhn_digit(wrong[:-1]) != wrong[-1]


def test_clearing_numbers_follow_the_ordinal() -> None:
    day = date(2026, 11, 21)
    assert ids.clearing_number(day, 0)[:18] == "202611210000000000"
    assert ids.claim_number(day, 1) == "CL" + ids.clearing_number(day, 1)


def test_numbers_for_partners_fit_wechats_rule() -> None:
    made = {ids.partner_number("p") for _ in range(1000)}
    assert len(made) == 1000
    assert all(24 <= len(one) <= 32 and one.isalnum() and one.islower() for one in made)


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_identity_numbers_of_the_standard_are_right(number: str) -> None:
    assert ids.is_identity_number(number)


@pytest.mark.parametrize(
    "number",
    ["", "11010519491231002x", "110105194912310021", "01010519491231002X", "11010519491331002X", "1101051949123100",
     "11010519491231002X ", "１１010519491231002X", "110101202302300016"],
)  # fmt: skip
def test_other_texts_are_no_identity_numbers(number: str) -> None:
    assert not ids.is_identity_number(number)


def test_an_identity_number_tells_birth_date_and_sex() -> None:
    assert ids.birth_date_of("11010519491231002X") == date(1949, 12, 31)
    assert ids.sex_of("11010519491231002X") == "female"
    assert ids.sex_of("440524188001010014") == "male"


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2012, 11, 21), date(2026, 11, 20), 13),
        (date(2012, 11, 21), date(2026, 11, 21), 14),
        (date(2012, 2, 29), date(2026, 2, 28), 13),
        (date(2012, 2, 29), date(2026, 3, 1), 14),
    ],
)
def test_age_grows_on_the_birthday(born: date, day: date, age: int) -> None:
    assert ids.age_on(born, day) == age
