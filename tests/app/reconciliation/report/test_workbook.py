"""Text that a spreadsheet would take for a formula stays text."""

from __future__ import annotations

import pytest

from app.reconciliation import rules


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_begins_like_a_formula_is_led_by_an_apostrophe(text: str) -> None:
    assert rules.escaped(text) == "'" + text


@pytest.mark.parametrize("text", ["", "2026112000000000018", "1.00", "a=b", "缺"])
def test_everything_else_is_left_alone(text: str) -> None:
    assert rules.escaped(text) == text
