"""Check digits by columns against the one that is computed digit by digit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import luhn_digit
from app.reconciliation.engine.clearing_numbers import CHUNK, are_valid, first_number, with_check_digits
from tests.app.reconciliation.engine.books import DAY, number

bodies = st.one_of(st.integers(0, 10**18 - 1), st.integers(202611210000000000, 202611210000300000))


@given(st.lists(bodies, max_size=30))
def test_every_check_digit_is_the_right_one_and_the_only_one(found: list[int]) -> None:
    numbers = with_check_digits(np.array(found, dtype=np.int64))
    assert [f"{one:019d}" for one in numbers.tolist()] == [f"{one:018d}" + luhn_digit(f"{one:018d}") for one in found]
    assert are_valid(numbers).all()
    for wrong in range(1, 10):
        others = numbers - numbers % np.uint64(10) + (numbers + np.uint64(wrong)) % np.uint64(10)
        assert not are_valid(others).any()


def test_a_typing_error_is_caught_in_any_chunk() -> None:
    numbers = with_check_digits(first_number(DAY) // 10 + np.arange(3 * CHUNK, dtype=np.int64))
    mistyped = np.array([0, CHUNK - 1, CHUNK, 3 * CHUNK - 1])
    numbers[mistyped] += np.uint64(20)
    assert np.flatnonzero(~are_valid(numbers)).tolist() == mistyped.tolist()


def test_a_day_begins_with_its_date() -> None:
    assert str(first_number(DAY)) == number(0)[:-1] + "0"
