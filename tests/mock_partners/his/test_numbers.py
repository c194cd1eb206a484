from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mock_partners.his import numbers


def test_the_standards_own_example_has_the_right_check_character() -> None:
    assert numbers.identity_check("11010519491231002") == "X"
    assert numbers.is_identity_number("440524188001010014")


def test_an_identity_number_fits_birth_date_and_sex() -> None:
    for ordinal in (0, 7, 4_989):
        for sex in ("male", "female"):
            number = numbers.identity_number(date(2016, 2, 29), sex, ordinal)
            assert numbers.is_identity_number(number)
            assert (numbers.birth_date_of(number), numbers.sex_of(number)) == (date(2016, 2, 29), sex)


def test_identity_numbers_of_one_day_differ() -> None:
    made = {numbers.identity_number(date(1973, 10, 28), "male", ordinal) for ordinal in range(4_990)}
    assert len(made) == 4_990


@pytest.mark.parametrize("number", ["", "11010519491231002x", "110105194912310021", "11010519491331002X", "１" * 18])
def test_a_wrong_identity_number_is_refused(number: str) -> None:
    assert not numbers.is_identity_number(number)


def test_phones_are_distinct_and_shaped_like_mobile_numbers() -> None:
    made = {numbers.phone(ordinal) for ordinal in (*range(3_000), *range(1_000_000, 1_003_000))}
    assert len(made) == 6_000
    assert all(len(phone) == 11 and phone[0] == "1" and phone[1] in "3456789" for phone in made)


def test_yuan_are_rounded_half_up_and_fen_are_exact() -> None:
    assert numbers.yuan(Decimal("0.125")) == Decimal("0.13")
    assert numbers.yuan(Decimal("-0.125")) == Decimal("-0.13")
    assert numbers.to_fen(Decimal("12.30")) == 1_230
    assert numbers.to_yuan(-5) == Decimal("-0.05")
    with pytest.raises(ValueError, match="fraction"):
        numbers.to_fen(Decimal("0.001"))
