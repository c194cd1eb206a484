"""The arithmetic of an adjudication adds up to the fen, whatever the lines."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_partners.insurer.reasons import of
from mock_partners.insurer.rules import NO_CEILING_FEN, Bill, Line, Terms, Verdict, adjudicate, apportion

LINES = st.lists(
    st.builds(
        lambda amount, declined: (amount, (of("self_funded"),) if declined else ()),
        st.integers(-50_000, 1_000_000),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@st.composite
def bills(draw: st.DrawFn) -> Bill:
    drawn = draw(LINES)
    total = sum(amount for amount, _ in drawn)
    if total < 0:
        drawn.append((-total, ()))
        total = 0
    lines = tuple(Line(no, amount, declines) for no, (amount, declines) in enumerate(drawn, 1))
    return Bill(
        str(draw(st.integers(0, 10**9))),
        draw(st.integers(0, total)),
        lines,
        draw(st.none() | st.integers(0, max(1, total))),
    )


TERMS = st.builds(
    Terms,
    st.decimals(0, 1, places=2),
    st.integers(0, 500_000),
    st.just(NO_CEILING_FEN) | st.integers(0, 2_000_000),
)


@given(st.lists(bills(), min_size=1, max_size=4), TERMS)
def test_every_step_is_at_most_the_one_before(claimed: list[Bill], terms: Terms) -> None:
    verdicts = adjudicate(tuple(claimed), terms)
    for verdict in verdicts:
        if verdict.billed_fen >= 0:
            assert 0 <= verdict.approved_fen <= verdict.covered_fen - verdict.deductible_fen
            assert verdict.covered_fen <= verdict.billed_fen
        else:
            assert verdict.billed_fen <= verdict.covered_fen <= verdict.approved_fen <= 0
            assert verdict.deductible_fen == 0
        if verdict.approved_fen < verdict.billed_fen:
            assert verdict.reasons, "a line that is not paid as billed says why"


@given(st.lists(bills(), min_size=1, max_size=4), TERMS)
def test_sums_keep_to_bill_deductible_and_ceiling(claimed: list[Bill], terms: Terms) -> None:
    verdicts = adjudicate(tuple(claimed), terms)
    at = 0
    for bill in claimed:
        mine = verdicts[at : at + len(bill.lines)]
        at += len(bill.lines)
        covered, approved = sum(v.covered_fen for v in mine), sum(v.approved_fen for v in mine)
        assert 0 <= approved <= covered <= bill.borne_fen
        assert bill.max_fen is None or approved <= bill.max_fen
    total = sum(v.approved_fen for v in verdicts)
    assert total <= terms.ceiling_fen
    assert sum(v.deductible_fen for v in verdicts) == min(terms.deductible_fen, sum(v.covered_fen for v in verdicts))


@given(bills(), st.decimals(0, 1, places=2))
def test_the_ratio_is_rounded_once_per_bill(bill: Bill, ratio: Decimal) -> None:
    free = Bill(bill.clearing_no, bill.borne_fen, bill.lines)
    verdicts = adjudicate((free,), Terms(ratio))
    covered = sum(v.covered_fen for v in verdicts)
    exact = Fraction(ratio) * covered
    assert abs(sum(v.approved_fen for v in verdicts) - exact) <= Fraction(1, 2)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20), st.integers(0, 10**6))
def test_apportioning_loses_no_fen(weights: list[int], total: int) -> None:
    quotas = [Fraction(weight * total, sum(weights)) for weight in weights]
    shares = apportion(total, quotas)
    assert sum(shares) == total
    assert all(abs(share - quota) < 1 for share, quota in zip(shares, quotas, strict=True))


def by_line(bill: Bill, terms: Terms) -> dict[int, Verdict]:
    return {verdict.line_no: verdict for verdict in adjudicate((bill,), terms)}


def test_a_worked_example() -> None:
    lines = (Line(1, 100_00), Line(2, 50_00, (of("self_funded"),)), Line(3, 50_00))
    verdicts = by_line(Bill("c", 100_00, lines), Terms(Decimal("0.90"), deductible_fen=20_00, ceiling_fen=45_00))
    assert [(v.covered_fen, v.deductible_fen, v.approved_fen) for v in verdicts.values()] == [
        (50_00, 20_00, 27_00),
        (0, 0, 0),
        (25_00, 0, 18_00),
    ]
    assert [reason.code for reason in verdicts[1].reasons] == ["paid_by_fund", "deductible", "ratio"]
    assert [reason.code for reason in verdicts[2].reasons] == ["self_funded", "paid_by_fund"]
    assert [reason.code for reason in verdicts[3].reasons] == ["paid_by_fund", "ratio", "ceiling"]
    assert verdicts[3].reasons[-1].text == "超出剩余保额，核减 4.50 元"


def test_a_returned_item_cancels_itself() -> None:
    verdicts = by_line(Bill("c", 60_01, (Line(1, 100_01), Line(2, -40_00))), Terms(Decimal("1")))
    assert [v.approved_fen for v in verdicts.values()] == [100_01, -40_00]


def test_returns_of_covered_items_beyond_the_rest_pay_nothing() -> None:
    lines = (Line(1, 30_00, (of("self_funded"),)), Line(2, 10_00), Line(3, -20_00))
    verdicts = by_line(Bill("c", 20_00, lines), Terms(Decimal("1")))
    assert [v.approved_fen for v in verdicts.values()] == [0, 0, 0]
    assert [r.code for r in verdicts[2].reasons] == ["returns_exceed"]


@pytest.mark.parametrize(("left", "approved"), [(None, 100_00), (30_00, 30_00), (0, 0)])
def test_what_another_policy_paid_is_not_paid_again(left: int | None, approved: int) -> None:
    verdicts = adjudicate((Bill("c", 100_00, (Line(1, 100_00),), left),), Terms(Decimal("1")))
    assert verdicts[0].approved_fen == approved
    assert ("paid_elsewhere" in [r.code for r in verdicts[0].reasons]) == (left is not None)
