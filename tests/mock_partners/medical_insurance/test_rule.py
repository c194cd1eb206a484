"""The split of a bill: exact, complete, never negative."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_partners.medical_insurance.refusal import Refusal
from mock_partners.medical_insurance.rule import fen, line_scope, same_split, split, yuan

CLASSES = st.sampled_from(["甲", "乙", "丙"])
LINES = st.lists(st.tuples(CLASSES, st.integers(-100_000, 10_000_000)), min_size=1, max_size=30)


@given(LINES, st.integers(0, 1_000_000))
def test_a_split_adds_up_and_nobody_pays_less_than_nothing(lines: list[tuple[str, int]], balance_fen: int) -> None:
    total = sum(amount for _, amount in lines)
    if total < 0:
        with pytest.raises(Refusal):
            split(lines, balance_fen)
        return
    result = split(lines, balance_fen)
    assert result.total_fen == total == result.fund_fen + result.account_fen + result.cash_fen
    assert min(result.fund_fen, result.account_fen, result.cash_fen) >= 0
    assert result.account_fen <= balance_fen


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_fund_pays_by_class(jia: int, yi: int, bing: int) -> None:
    def half_up(amount: Decimal) -> int:
        return int(amount.quantize(Decimal(1), ROUND_HALF_UP))

    in_scope = yi - half_up(Decimal(yi) * Decimal("0.15"))
    expected = half_up(Decimal(jia) * Decimal("0.80")) + half_up(Decimal(in_scope) * Decimal("0.70"))
    result = split([("甲", jia), ("乙", yi), ("丙", bing)], 0)
    assert result.fund_fen == expected
    assert split([("甲", jia), ("乙", yi), ("丙", bing)], 10**10).account_fen == jia + in_scope - expected


@given(CLASSES, st.integers(-(10**9), 10**9))
def test_a_line_is_divided_without_rest(insurance_class: str, amount_fen: int) -> None:
    assert sum(line_scope(insurance_class, amount_fen)) == amount_fen


@given(st.integers(-(10**12), 10**12))
def test_yuan_and_back(amount_fen: int) -> None:
    assert fen(yuan(amount_fen)) == amount_fen


@pytest.mark.parametrize("value", ["1.234", "", "NaN", "Infinity", "1e999999", "x", None, 1, 1.5, "１.00x"])
def test_what_is_no_exact_amount_is_refused(value: object) -> None:
    with pytest.raises(Refusal):
        fen(value)


def test_amounts_that_a_request_names_must_be_right() -> None:
    result = split([("甲", 100_00)], 5_00)
    assert same_split({}, result)
    assert same_split({"fund_pay_sumamt": "80.00", "acct_pay": "5", "psn_cash_pay": "15.00"}, result)
    assert not same_split({"acct_pay": "5.01"}, result)
