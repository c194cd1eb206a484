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


@pytest.mark.parametrize(
    ("settled", "declared", "arrived", "missing", "percent"),
    [
        (0, 0, 0, 0, None),
        (0, 0, 0, 3, None),
        (0, 0, 1, 0, 100.0),
        (10, 10, 2, 0, 100.0),
        (9_999_999, 10_000_000, 2, 0, 99.99),
        (10, 10, 3, 1, 75.0),
        (1, 3, 1, 0, 33.33),
        (0, 5, 1, 0, 0.0),
    ],
)
def test_a_day_is_complete_only_if_nothing_is_left_to_do(
    settled: int, declared: int, arrived: int, missing: int, percent: float | None
) -> None:
    assert rules.complete_percent(settled=settled, declared=declared, arrived=arrived, missing=missing) == percent
