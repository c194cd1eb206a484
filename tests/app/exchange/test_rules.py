from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange import rules


@pytest.mark.parametrize(
    ("value", "found"),
    [("a\0b", True), ("\\\0", True), ("\0", True), ("\\u0000", False), ("\\\\u0000", False), ("plain", False)],
)
def test_nul_is_seen_and_nothing_that_only_looks_like_it(value: str, found: bool) -> None:
    assert rules.holds_nul(json.dumps({"a": value})) is found


@given(st.text(alphabet="\\u0\0x", max_size=12))
def test_nul_is_seen_exactly_when_it_is_there(value: str) -> None:
    assert rules.holds_nul(json.dumps([value])) is ("\0" in value)


def test_canonical_text_has_one_form() -> None:
    assert rules.canonical({"b": 1, "a": "直赔"}) == '{"a":"直赔","b":1}'.encode()
    with pytest.raises(ValueError, match="Out of range"):
        rules.canonical([float("nan")])


def test_what_is_no_amount_is_left_out_of_the_sum() -> None:
    rows = [
        {"type": "bill", "data": {"total_fen": 5}},
        {"type": "ledger", "data": {"amount_fen": -2}},
        {"type": "bill", "data": {"total_fen": "7"}},
        {"type": "bill", "data": {"total_fen": True}},
        {"type": "bill", "data": {"total_fen": 1.5}},
        {"type": "bill", "data": {}},
        {"type": "visit", "data": {"total_fen": 11, "amount_fen": 13}},
    ]
    assert rules.sum_fen(rows) == 3
