"""Amounts that a person can read."""

from __future__ import annotations

import pytest

from app.reconciliation.report.writing import grouped_yuan


@pytest.mark.parametrize(
    ("amount_fen", "text"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (-50, "-0.50"),
        (99_999, "999.99"),
        (123_456_789, "1,234,567.89"),
        (-100_000, "-1,000.00"),
    ],
)
def test_thousands_are_grouped_and_a_sign_is_kept(amount_fen: int, text: str) -> None:
    assert grouped_yuan(amount_fen) == text
