from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import money

FEN = st.integers(1 - 10**15, 10**15 - 1)


@given(FEN)
def test_yuan_and_fen_are_the_same_money(amount_fen: int) -> None:
    assert money.fen_from_yuan(money.yuan(amount_fen)) == amount_fen


@pytest.mark.parametrize(
    ("text", "amount_fen"),
    [("12.30", 1230), ("12.3", 1230), ("12", 1200), ("-0.01", -1), ("0.00000", 0), ("1.2300", 123)],
)
def test_exact_texts_are_read(text: str, amount_fen: int) -> None:
    assert money.fen_from_yuan(text) == amount_fen


@pytest.mark.parametrize(
    "text",
    ["", "1.234", "1e2", "NaN", "+1", " 1", "1.", ".5", "1,000.00", "１.00", "--1", "1" * 14],
)
def test_what_is_not_an_exact_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="exact"):
        money.fen_from_yuan(text)


@pytest.mark.parametrize(
    ("price", "quantity", "amount_fen"),
    [("12.345678", "2.0000", 2469), ("0.005", "1", 1), ("0.005", "-1", -1), ("0.0049", "1", 0), ("0", "5", 0)],
)
def test_a_line_is_price_times_quantity_rounded_half_up(price: str, quantity: str, amount_fen: int) -> None:
    assert money.line_amount_fen(Decimal(price), Decimal(quantity)) == amount_fen


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
def test_shares_add_up_and_none_is_a_fen_off(amount_fen: int, weights: list[int]) -> None:
    shares = money.share_out(amount_fen, weights)
    assert sum(shares) == amount_fen
    total = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * total - amount_fen * weight) < total
        assert weight or not share


def test_the_first_of_equals_takes_the_odd_fen() -> None:
    assert money.share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert money.share_out(2, [1, 1, 1]) == [1, 1, 0]


@pytest.mark.parametrize(("amount_fen", "weights"), [(-1, [1]), (1, []), (1, [0]), (1, [2, -1])])
def test_what_cannot_be_shared_is_refused(amount_fen: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"share|min"):
        money.share_out(amount_fen, weights)
