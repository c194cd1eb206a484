"""Source values become ours exactly or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_agent.errors import BadValue
from hospital_agent.mapping import values

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("value", "fen"),
    [("12.34", 1234), (Decimal("12.3400"), 1234), (77.49, 7749), (0, 0), ("-0.01", -1), (" 5 ", 500), (None, None)],
)
def test_yuan_become_fen_exactly(value: object, fen: int | None) -> None:
    assert values.to_fen(value, "yuan") == fen


@pytest.mark.parametrize("value", ["12.345", 0.1 + 0.2, "abc", "", "NaN", "Infinity", True, "1e30"])
def test_what_is_no_whole_number_of_fen_is_refused(value: object) -> None:
    with pytest.raises(BadValue):
        values.to_fen(value, "yuan")


def test_fen_stay_fen() -> None:
    assert values.to_fen(Decimal("1234.00"), "fen") == 1234


@given(st.integers(-(10**12), 10**12))
def test_every_amount_survives_the_way_through_yuan(fen: int) -> None:
    assert values.to_fen(Decimal(fen) / 100, "yuan") == fen


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_decimals_keep_their_value_and_get_their_places(number: Decimal) -> None:
    text = values.to_places(number, 6)
    assert text is not None
    assert Decimal(text) == number
    assert len(text.partition(".")[2]) == 6


def test_more_places_than_allowed_are_refused_not_rounded() -> None:
    assert values.to_places("1.2300", 2) == "1.23"
    with pytest.raises(BadValue):
        values.to_places("1.234", 2)


@pytest.mark.parametrize(
    ("like", "start", "end"),
    [
        ("20260101", "20261121", "20261122"),
        ("2026-01-01  ", "2026-11-21", "2026-11-22"),
        ("2026-01-01 08:00:00", "2026-11-21", "2026-11-22"),
        ("20260101T080000", "20261121", "20261122"),
        (date(2026, 1, 1), date(2026, 11, 21), date(2026, 11, 22)),
        (datetime(2026, 1, 1, 8), datetime(2026, 11, 21), datetime(2026, 11, 22)),  # noqa: DTZ001
        (
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 11, 21, tzinfo=SHANGHAI),
            datetime(2026, 11, 22, tzinfo=SHANGHAI),
        ),
    ],
)
def test_a_day_is_told_in_the_form_of_its_column(like: object, start: object, end: object) -> None:
    assert values.day_span(date(2026, 11, 21), like, SHANGHAI) == (start, end)


@pytest.mark.parametrize(
    "like",
    ["", "21.11.2026", "2026-W47-6", " 20261121", "2026-11-21T00:00:00Z", "2026-1121", "20261399", 20261121, b"1"],
)
def test_a_day_is_not_sought_in_a_form_that_does_not_sort_by_day(like: object) -> None:
    with pytest.raises(BadValue):
        values.day_span(date(2026, 11, 21), like, SHANGHAI)


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["%Y%m%d", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S", ""]),
)
def test_a_value_is_in_the_day_that_it_is_read_as(day: date, moment: datetime, form: str) -> None:
    value: Any = moment.strftime(form) if form else moment
    start, end = values.day_span(day, value, SHANGHAI)
    assert (start <= value < end) == (values.to_date(value, SHANGHAI) == day.isoformat())


def test_a_naive_time_is_read_in_the_zone_of_the_source() -> None:
    assert values.to_time(datetime(2026, 11, 21, 8, 0), SHANGHAI) == "2026-11-21T00:00:00Z"  # noqa: DTZ001
    assert values.to_time("2026-11-21 08:00:00", SHANGHAI) == "2026-11-21T00:00:00Z"


def test_a_time_with_a_zone_keeps_it() -> None:
    moment = datetime(2026, 11, 21, 8, 0, tzinfo=timezone(timedelta(hours=1)))
    assert values.to_time(moment, SHANGHAI) == "2026-11-21T07:00:00Z"
    assert values.to_time("2026-11-21T08:00:00Z", SHANGHAI) == "2026-11-21T08:00:00Z"


def test_the_date_of_a_date_time_is_the_local_one() -> None:
    assert values.to_date(datetime(2026, 11, 20, 23, 0, tzinfo=UTC), SHANGHAI) == "2026-11-21"
    assert values.to_date(date(2026, 11, 20), SHANGHAI) == "2026-11-20"
    assert values.to_date("2026-11-20", SHANGHAI) == "2026-11-20"
    assert values.to_date(None, SHANGHAI) is None


@pytest.mark.parametrize("value", ["yesterday", 7, "2026-13-01"])
def test_what_is_no_date_is_refused(value: object) -> None:
    with pytest.raises(BadValue):
        values.to_date(value, SHANGHAI)


def test_text_is_trimmed_at_the_end_and_empty_text_is_nothing() -> None:
    assert values.to_text("  张三  ") == "  张三"
    assert values.to_text("   ") is None
    assert values.to_text(None) is None
    assert values.to_text(17) == "17"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1))
def test_bytes_are_read_as_gb18030(text: str) -> None:
    assert values.to_text(text.encode("gb18030")) == (text.rstrip() or None)


@pytest.mark.parametrize("value", [b"\xff\xff\xff", "a\x00b", "a\ud800"])
def test_text_that_cannot_be_exchanged_is_refused(value: object) -> None:
    with pytest.raises(BadValue):
        values.to_text(value)


@pytest.mark.parametrize(("value", "truth"), [("Y", True), (1, True), (True, True), ("f", False), (None, False)])
def test_yes_and_no(value: object, truth: bool) -> None:
    assert values.to_bool(value) is truth


def test_what_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(BadValue):
        values.to_bool("maybe")


def test_an_error_never_shows_the_value() -> None:
    with pytest.raises(BadValue) as caught:
        values.to_fen("110101199003070011x", "yuan")
    assert "1101" not in str(caught.value)
