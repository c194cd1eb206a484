from __future__ import annotations

import pytest

from mock_partners.insurer_s200.amounts import to_fen, to_yuan


@pytest.mark.parametrize(
    ("text", "fen"), [("0.00", 0), ("12.30", 1_230), ("-0.50", -50), ("90071992547409.93", 9_007_199_254_740_993)]
)
def test_yuan_is_exact_both_ways(text: str, fen: int) -> None:
    assert to_fen(text) == fen and to_yuan(fen) == text


@pytest.mark.parametrize("text", ["", "1", "1.5", "1.005", "x.00"])
def test_what_has_not_two_places_is_no_amount(text: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        to_fen(text)
