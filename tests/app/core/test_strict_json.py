from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter
from pydantic_core import from_json

from app.core.strict_json import PlainZero, holds_nul, read_json

PLACES = [
    "%s",
    " %s",
    "\n%s",
    "[%s]",
    "[[1,%s]]",
    "[[[ %s]]]",
    '{"a":%s}',
    '{"a": %s}',
    '{"a":\t%s}',
    '{"a":[{"b":[-1, %s ]}]}',
]
HUGE = [
    "1e400",
    "-1E+400",
    "1e0400",
    "-1.5E00400",
    "1" + "0" * 309 + ".0",
    "9" * 150 + "e200",
    "9" * 150 + ".5E+0200",
    "9" * 199 + "e110",
    "0." + "9" * 250 + "e309",
    "1e99999999999999999999",
    "9" * 5000,
]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_what_is_json_is_read(value: object) -> None:
    if "\\u0000" not in json.dumps(value):
        assert read_json(json.dumps(value)) == value
        assert read_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 10_000,
        '["\\ud800"]',
        "[NaN]",
        "[Infinity]",
        '{"a": [-1e400]}',
        "9" * 5000,
        '["\\u0000"]',
        b"\xff",
    ],
)
def test_what_could_not_be_kept_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        read_json(text)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", HUGE)
def test_a_number_beyond_every_number_is_refused_wherever_it_stands(number: str, place: str) -> None:
    with pytest.raises(ValueError):
        read_json(place % number)


@given(
    st.sampled_from(PLACES),
    st.from_regex(r"-?(0|[1-9][0-9]{0,320})(\.[0-9]{1,320})?([eE][+-]?0{0,3}[0-9]{1,3})?", fullmatch=True),
)
def test_every_other_number_is_read(place: str, number: str) -> None:
    """What is looked for in the text first is a short cut, and changes nothing."""
    infinite = from_json(number) in (float("inf"), float("-inf"))
    try:
        assert read_json(place % number) == from_json(place % number)
    except ValueError:
        assert infinite
    else:
        assert not infinite


def test_nothing_to_the_power_of_anything_is_nothing() -> None:
    exact = TypeAdapter(Annotated[Decimal, Field(max_digits=18), PlainZero])
    assert str(exact.validate_python("0e1100000000")) == "0"
    assert str(exact.validate_python("1.50")) == "1.50"


@pytest.mark.parametrize(
    ("value", "found"),
    [("a\0b", True), ("\\\0", True), ("\0", True), ("\\u0000", False), ("\\\\u0000", False), ("plain", False)],
)
def test_nul_is_seen_and_nothing_that_only_looks_like_it(value: str, found: bool) -> None:
    assert holds_nul(json.dumps({"a": value})) is found


@given(st.text(alphabet="\\u0\0x", max_size=12))
def test_nul_is_seen_exactly_when_it_is_there(value: str) -> None:
    assert holds_nul(json.dumps([value])) is ("\0" in value)
