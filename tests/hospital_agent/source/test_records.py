"""Keys of several columns are taken apart again in every way that they can have been joined."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_agent.source import records
from hospital_agent.source.records import Budget, split

PARTS = st.lists(st.text(alphabet="a1-", max_size=6), min_size=1, max_size=3)


@given(PARTS)
def test_what_was_joined_is_among_the_ways_to_split(parts: list[str]) -> None:
    value = "-".join(parts)
    ways = split(value, len(parts))
    assert tuple(parts) in ways
    assert all("-".join(way) == value and len(way) == len(parts) for way in ways)
    assert len(ways) == len(set(ways))


def test_a_text_of_too_few_parts_is_no_key() -> None:
    assert split("B1", 2) == []


@pytest.mark.parametrize(
    ("part", "like", "fits"),
    [
        ("7", 3, True),
        ("01-7", 3, False),
        ("7.50", Decimal("1.00"), True),
        ("x", Decimal("1.00"), False),
        ("2026-11-01", date(2026, 11, 21), True),
        ("2026", datetime(2026, 11, 21, 8, tzinfo=UTC), False),
        ("b3b2b6f8-0d1c-4a52-9d0e-3a1f7c9f0a11", UUID(int=0), True),
        ("b3b2b6f8", UUID(int=0), False),
        ("anything", "text", True),
        ("anything", b"bytes", True),
        ("anything", None, True),
    ],
)
def test_a_part_fits_a_column_whose_values_are_like_it(part: str, like: Any, fits: bool) -> None:
    assert records._reads_as(part, like) is fits


def test_a_budget_is_cut_when_a_reading_took_all_that_it_might() -> None:
    budget = Budget(10)
    budget.take(3, 5)
    assert (budget.left, budget.cut) == (7, False)
    budget.take(5, 5)
    assert (budget.left, budget.cut) == (2, True)
