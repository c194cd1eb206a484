"""Clearing numbers by columns: 19 digits, which are yyyymmdd, a ten-digit ordinal and a Luhn check digit.

The check digit is that of ISO/IEC 7812-1 annex B. Five digits at a time are looked up in tables of 100 kB, and rows
are taken in chunks, so that tables and intermediate arrays stay in the processor's cache.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 16
ORDINALS = 10**10
_GROUP = 10**5

Numbers = NDArray[np.uint64]


def _group_sums(*, first_doubled: bool) -> NDArray[np.uint8]:
    """Shape (100000,): the Luhn sum of a group of five digits, the last of which is doubled or not."""
    plain = np.arange(10, dtype=np.uint8)
    doubled = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], dtype=np.uint8)
    sums = np.zeros(1, dtype=np.uint8)
    for place in range(5):
        digit = doubled if (place % 2 == 0) == first_doubled else plain
        sums = np.add.outer(digit, sums).ravel()
    return sums


_DOUBLED_FIRST = _group_sums(first_doubled=True)
_PLAIN_FIRST = _group_sums(first_doubled=False)
# Four groups and the check digit add up to at most 189.
_IS_MULTIPLE_OF_TEN = np.arange(256) % 10 == 0


def day_prefix(day: date) -> int:
    """The eight digits with which every number of a business date begins."""
    return day.year * 10_000 + day.month * 100 + day.day


def first_number(day: date) -> int:
    """The smallest value of 19 digits that begins with the date, whatever its check digit."""
    return day_prefix(day) * ORDINALS * 10


def _luhn_sums(bodies: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Sums over the 18 digits before the check digit."""
    days = bodies // ORDINALS
    ordinals = bodies - days * ORDINALS
    high = ordinals // _GROUP
    sums: NDArray[np.uint8] = _DOUBLED_FIRST[ordinals - high * _GROUP] + _PLAIN_FIRST[high]
    if days.size and days.min() == days.max():
        days = days[:1]  # one business date: its part is the same for all
    century = days // _GROUP
    sums += _DOUBLED_FIRST[days - century * _GROUP]
    sums += _PLAIN_FIRST[century]
    return sums


def are_valid(numbers: Numbers) -> NDArray[np.bool_]:
    """Shape (n,): whether each number, of at most 19 digits, ends with its right check digit."""
    valid = np.empty(len(numbers), dtype=np.bool_)
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        bodies = (chunk // np.uint64(10)).view(np.int64)
        digits = (chunk.view(np.int64) - bodies * 10).astype(np.uint8)
        valid[start : start + CHUNK] = _IS_MULTIPLE_OF_TEN[_luhn_sums(bodies) + digits]
    return valid


def with_check_digits(bodies: NDArray[np.int64]) -> Numbers:
    """Shape (n,): the numbers whose first 18 digits are `bodies`."""
    digits = (10 - _luhn_sums(bodies) % 10) % 10
    return (bodies * 10 + digits).view(np.uint64)
