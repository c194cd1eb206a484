"""Clearing numbers by columns: 19 digits, which are yyyymmdd, a ten-digit ordinal and a Luhn check digit.

The check digit is that of ISO/IEC 7812-1 annex B. It is looked up in tables for five digits at a time, and rows are
taken in chunks, so that tables and intermediate arrays stay in the processor's cache.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 16
ORDINALS = 10**10
_GROUP = 10**5
_DAY_GROUPS = ORDINALS // _GROUP  # groups of five digits in a day
_MOST_GROUPS = 64  # beyond that a table of all digits in a range is larger than the cache

Numbers = NDArray[np.uint64]


@cache
def _group_sums(*, first_doubled: bool) -> NDArray[np.uint8]:
    """Shape (100000,): the Luhn sum, modulo 10, of a group of five digits; every other one is doubled, or the rest."""
    plain = np.arange(10, dtype=np.uint8)
    doubled = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)
    sums = np.zeros(1, dtype=np.uint8)
    for place in range(5):
        digit = doubled if (place % 2 == 0) == first_doubled else plain
        sums = np.add.outer(digit, sums).ravel()
    return sums % np.uint8(10)


@cache
def _check_digits_after(prefix_sum: int) -> NDArray[np.uint8]:
    """Shape (100000,): the check digit for each last group of five digits after a prefix of that sum."""
    return (np.uint8(40 - prefix_sum) - _group_sums(first_doubled=True)) % np.uint8(10)


def day_prefix(day: date) -> int:
    """The eight digits with which every number of a business date begins."""
    return day.year * 10_000 + day.month * 100 + day.day


def first_number(day: date) -> int:
    """The smallest value of 19 digits that begins with the date, whatever its check digit."""
    return day_prefix(day) * ORDINALS * 10


def are_valid(numbers: Numbers) -> NDArray[np.bool_]:
    """Shape (n,): whether each number, of at most 19 digits, ends with its right check digit."""
    valid = np.empty(len(numbers), dtype=np.bool_)
    for start in range(0, len(numbers), CHUNK):
        part = slice(start, start + CHUNK)
        valid[part] = _are_valid_near(numbers[part])
    return valid


def _are_valid_near(numbers: Numbers) -> NDArray[np.bool_]:
    """With one table of all check digits between the least and the greatest, if they lie near each other."""
    first_group, last_group = int(numbers.min()) // (_GROUP * 10), int(numbers.max()) // (_GROUP * 10)
    if last_group - first_group >= _MOST_GROUPS:
        whole = numbers // np.uint64(10)
        return np.equal(_check_digits(whole.view(np.int64)), numbers - whole * np.uint64(10))
    prefix_sums = _prefix_sums(np.arange(first_group, last_group + 1))
    expected = np.concatenate([_check_digits_after(int(prefix_sum)) for prefix_sum in prefix_sums])
    distances = (numbers - np.uint64(first_group * _GROUP * 10)).astype(np.uint32)
    bodies = distances // np.uint32(10)
    right: NDArray[np.bool_] = expected.take(bodies) == (distances - bodies * np.uint32(10)).astype(np.uint8)
    return right


def with_check_digits(bodies: NDArray[np.int64]) -> Numbers:
    """Shape (n,): the numbers whose first 18 digits are `bodies`."""
    return (bodies * 10 + _check_digits(bodies)).view(np.uint64)


def _check_digits(bodies: NDArray[np.int64]) -> NDArray[np.uint8]:
    groups = bodies // _GROUP
    sums = _prefix_sums(groups) + _group_sums(first_doubled=True)[bodies - groups * _GROUP]
    digits: NDArray[np.uint8] = (np.uint8(50) - sums) % np.uint8(10)
    return digits


def _prefix_sums(groups: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Luhn sums, at most 27, of the 13 digits before the last group of five, each group modulo 10."""
    days = groups // _DAY_GROUPS
    centuries = days // _GROUP
    sums: NDArray[np.uint8] = _group_sums(first_doubled=False)[groups - days * _DAY_GROUPS]
    sums += _group_sums(first_doubled=True)[days - centuries * _GROUP]
    sums += _group_sums(first_doubled=False)[centuries]
    return sums
