"""Which rows go to arrays and which to string sets."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from app.reconciliation.engine.clearing_numbers import ORDINALS
from app.reconciliation.engine.segments import SEGMENT_SIZE, locate, plan, segment_numbers
from tests.app.reconciliation.engine.books import DAY, number


def _numbers(ordinals: list[int], day: date = DAY) -> np.ndarray:
    return np.array([int(number(ordinal, day)) for ordinal in ordinals], dtype=np.uint64)


@pytest.mark.parametrize(
    ("ordinals", "dense"),
    [
        (list(range(100)), (0,)),
        ([SEGMENT_SIZE - 1, SEGMENT_SIZE], (0, 1)),
        ([5, SEGMENT_SIZE - 1], ()),
        ([ORDINALS - 2, ORDINALS - 1], (ORDINALS // SEGMENT_SIZE,)),
        ([], ()),
        (list(range(0, 40 * SEGMENT_SIZE, SEGMENT_SIZE)), ()),
    ],
)
def test_a_segment_is_compared_as_arrays_where_rows_lie_close(ordinals: list[int], dense: tuple[int, ...]) -> None:
    planned = plan([locate(_numbers(ordinals), DAY)])
    assert planned.dense == dense
    [scattered] = planned.scattered_rows()
    assert len(scattered) == (0 if dense else len(ordinals))


def test_other_days_are_in_no_segment() -> None:
    numbers = np.concatenate([_numbers([3], date(2026, 11, 20)), _numbers([4]), _numbers([3], date(9999, 12, 31))])
    planned = plan([locate(numbers, DAY)])
    assert planned.dense == (0,)
    assert [rows.tolist() for rows in planned.scattered_rows()] == [[0, 2]]


def test_rows_of_a_segment_keep_the_ledgers_order() -> None:
    ordinals = [SEGMENT_SIZE + 2, 7, SEGMENT_SIZE + 1, 5, 7]
    located = locate(_numbers(ordinals), DAY)
    rows = located.rows(0)
    assert np.arange(5)[rows].tolist() == [1, 3, 4]
    assert located.offsets[rows].tolist() == [7, 5, 7]
    assert located.offsets[located.rows(1)].tolist() == [2, 1]


def test_segments_follow_one_another_and_end_with_the_day() -> None:
    assert segment_numbers(DAY, 0)[1] == segment_numbers(DAY, 1)[0]
    last = (ORDINALS - 1) // SEGMENT_SIZE
    assert segment_numbers(DAY, last)[1] == 20261122 * 10**11
