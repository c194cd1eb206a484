"""Dates at the edge of the calendar are refused where they come in, because nobody can compute with them later."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.moments import Moment, PlainDate

AT, ON = TypeAdapter(Moment), TypeAdapter(PlainDate)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1899-12-31T23:59:59Z", "2026-11-21T08:00:00"]
)
def test_moments_outside_our_times_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        AT.validate_python(text)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "1899-12-31"])
def test_dates_outside_our_times_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        ON.validate_python(text)


@pytest.mark.parametrize("given", [1_763_683_200, 1.5, "1763683200", "20261121", True])
def test_what_is_not_written_as_a_date_is_no_epoch(given: object) -> None:
    for kind in (AT, ON):
        with pytest.raises(ValidationError):
            kind.validate_python(given)


@pytest.mark.parametrize(
    "given", ["2026-11-23T00:00:00", "2026-11-23T00:00:00Z", "2026-11-23 00:00", "1795392000", 1795392000, 1.0, ""]
)
def test_a_date_is_written_as_a_date(given: object) -> None:
    with pytest.raises(ValidationError):
        ON.validate_python(given)


def test_ordinary_ones_are_not() -> None:
    assert AT.validate_python("2026-11-21T08:00:00+08:00").year == 2026
    assert ON.validate_python("1925-02-03").year == 1925
