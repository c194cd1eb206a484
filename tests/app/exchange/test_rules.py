from __future__ import annotations

import pytest

from app.exchange import rules


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
