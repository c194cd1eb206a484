"""What a decision still stands for once its bills were amended: to the fen, downwards only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.claim import support
from app.claim.arithmetic import Line
from app.claim.shown import Bill
from app.claim.shown import Line as Shown
from app.payout import rules as payout
from mock_partners.insurer import rules as insurer

PLENTY = 10**12


def bill(*lines: tuple[str, int], fund_fen: int = 0) -> Bill:
    shown = tuple(Shown(number, code, code, fen) for number, (code, fen) in enumerate(lines, 1))
    return Bill(sum(fen for _, fen in lines) - fund_fen, shown)


def decided(shown: Bill, ratio: str = "1", *, no: str = "N1", **terms: int) -> list[Line]:
    """As the insurer's double decides it, nothing declined; `terms` are of the policy."""
    lines = tuple(insurer.Line(line.line_no, line.amount_fen) for line in shown.lines)
    verdicts = insurer.adjudicate(
        (insurer.Bill(no, shown.borne_fen, lines),), insurer.Terms(Decimal(ratio), **terms)
    )  # fmt: skip
    return [
        Line(no, v.line_no, v.billed_fen, v.covered_fen, v.deductible_fen, Decimal(ratio),
             sum(reason.cap_fen for reason in v.reasons), v.approved_fen)
        for v in verdicts
    ]  # fmt: skip


def judged(shown: Bill, now: Bill | None, ratio: str = "1", *, left_fen: int = PLENTY, **how: Any) -> support.Judged:
    lines = how.pop("lines", None) or decided(shown, ratio, **how)
    return support.Judged(lines[0].clearing_no, lines, support.Amended(shown, now, left_fen) if now else None)


def kept(shown: Bill, now: Bill | None, ratio: str = "1", **how: Any) -> int:
    return support.supported_fen([judged(shown, now, ratio, **how)])["N1"]


BILL = bill(("A", 6_000), ("B", 4_000))


def test_what_was_not_amended_stands() -> None:
    assert kept(BILL, None) == kept(BILL, BILL) == 10_000


def test_a_line_that_was_lowered_takes_its_ratio_of_what_has_gone() -> None:
    assert kept(BILL, bill(("A", 6_000), ("B", 1_000)), "0.8") == 8_000 - 2_400
    assert kept(BILL, bill(("A", 6_000), ("B", 3_999)), "0.5") == 5_000, "half a fen stays"
    assert kept(BILL, bill(("A", 6_000)), "0.8") == 4_800, "a line that is not there any more"


def test_what_grows_or_is_new_carries_nothing() -> None:
    assert kept(BILL, bill(("A", 9_000), ("B", 4_000), ("C", 5_000))) == 10_000
    assert kept(BILL, bill(("A", 9_000), ("B", 1_000))) == 7_000, "nobody has judged the rest of A"
    assert kept(BILL, bill(("A", 6_000), ("C", 4_000))) == 6_000, "nobody has judged C"


def test_a_return_is_set_against_its_item_and_a_line_may_be_written_anew() -> None:
    assert kept(BILL, bill(("A", 6_000), ("B", 4_000), ("B", -1_500)), "0.8") == 8_000 - 1_200
    assert kept(BILL, bill(("A", 6_000), ("B", 0), ("B", 3_500))) == 9_500
    assert kept(BILL, bill(("B", 4_000), ("A", 6_000))) == 10_000, "only the numbers have changed"


def test_a_return_of_an_item_that_was_never_there_lowers_what_the_patient_bears() -> None:
    assert kept(BILL, bill(("A", 6_000), ("B", 4_000), ("Z", -2_000)), "0.8") == 6_400


def test_where_the_fund_pays_more_the_insurer_pays_no_more_than_the_rest() -> None:
    shown = bill(("A", 6_000), ("B", 4_000), fund_fen=5_000)
    assert kept(shown, bill(("A", 6_000), ("B", 4_000), fund_fen=7_000)) == 3_000
    assert kept(shown, bill(("A", 6_000), ("B", 2_000), fund_fen=4_000)) == 4_000, "each bears its part of every fen"


def test_a_declined_line_may_go() -> None:
    lines = decided(BILL)
    lines[1] = Line("N1", 2, 4_000, 0, 0, Decimal(1), 0, 0)
    assert kept(BILL, bill(("A", 6_000)), lines=lines) == 6_000


def test_what_a_cap_took_goes_first() -> None:
    assert kept(BILL, bill(("A", 6_000), ("B", 3_000)), ceiling_fen=7_000) == 7_000
    assert kept(BILL, bill(("A", 6_000), ("B", 500)), ceiling_fen=7_000) == 6_500


def test_earlier_claims_keep_what_they_have() -> None:
    assert kept(BILL, bill(("A", 6_000), ("B", 3_000)), left_fen=2_500) == 2_500
    assert kept(BILL, bill(("A", 6_000), ("B", 3_000)), left_fen=-100) == 0


def test_of_a_bill_of_which_nothing_is_left_not_even_a_rounded_fen_is_kept() -> None:
    lines = decided(bill(("A", 4_805)), "0.9")  # 4,324.5 fen, rounded up
    assert kept(bill(("A", 4_805)), bill(), lines=lines, left_fen=1) == 0


def test_a_deductible_that_one_bill_cannot_carry_is_carried_by_another() -> None:
    first = judged(BILL, bill(("A", 500)), deductible_fen=2_000)
    second = judged(BILL, None, no="N2")
    assert support.supported_fen([first, second]) == {"N1": 0, "N2": 8_500}


FEN = st.integers(1, 5_000)
CODES = st.sampled_from("ABC")
BILLS = st.lists(st.tuples(CODES, FEN), min_size=1, max_size=5)
RATIOS = st.sampled_from(["1", "0.9", "0.85", "0.3333"])


@given(BILLS, st.data(), RATIOS, st.integers(0, 3_000), st.integers(0, 8_000))
def test_lowered_lines_come_to_what_the_insurer_would_decide_anew(
    lines: list[tuple[str, int]], data: st.DataObject, ratio: str, deductible_fen: int, ceiling_fen: int
) -> None:
    """Where items are only lowered and nobody else pays, the decision of the double on the amended bill is the answer,
    give or take the fen of a rounding made on other lines."""
    shown = bill(*lines)
    now = bill(*((code, data.draw(st.integers(0, fen))) for code, fen in lines))
    before, after = (
        decided(one, ratio, deductible_fen=deductible_fen, ceiling_fen=ceiling_fen) for one in (shown, now)
    )
    found = kept(shown, now, lines=before)
    if sum(line.deductible_fen for line in before) == deductible_fen:
        assert abs(found - sum(line.approved_fen for line in after)) <= 1
    assert 0 <= found <= sum(line.approved_fen for line in before)


@given(BILLS, st.lists(st.tuples(CODES, st.integers(-5_000, 5_000)), max_size=6), RATIOS, st.integers(0, 8_000))
def test_whatever_becomes_of_a_bill_nothing_is_gained_and_nothing_is_owed_beyond_it(
    lines: list[tuple[str, int]], after: list[tuple[str, int]], ratio: str, left_fen: int
) -> None:
    shown, now = bill(*lines), bill(*after)
    before = decided(shown, ratio)
    found = kept(shown, now, lines=before, left_fen=left_fen)
    assert 0 <= found <= sum(line.approved_fen for line in before)
    assert found <= left_fen and found <= max(0, now.borne_fen)


@given(BILLS, st.lists(st.tuples(CODES, FEN), max_size=5))
def test_no_line_loses_more_than_it_was_billed(lines: list[tuple[str, int]], after: list[tuple[str, int]]) -> None:
    before, now = bill(*lines).lines, bill(*after).lines
    gone = support.gone_fen(before, now)
    assert all(0 <= gone[line.line_no] <= line.amount_fen for line in before)
    was, is_now = sum(line.amount_fen for line in before), sum(line.amount_fen for line in now)
    assert sum(gone.values()) >= was - is_now


@given(BILLS, st.lists(st.lists(st.tuples(CODES, FEN), max_size=5), max_size=4), RATIOS, st.data())
def test_over_all_amendments_what_comes_back_is_what_was_paid_and_is_kept_no_more(
    lines: list[tuple[str, int]], versions: list[list[tuple[str, int]]], ratio: str, data: st.DataObject
) -> None:
    """One bill, amended again and again after all or a part of it was paid: the recoveries are never negative, and
    together with what is kept they are what was paid."""
    shown = bill(*lines)
    before = decided(shown, ratio)
    payable = approved = sum(line.approved_fen for line in before)
    paid = data.draw(st.integers(0, approved))
    owed: list[int] = []
    for version in versions:
        now = min(payable, kept(shown, bill(*version), lines=before))
        [due] = payout.dues([payable - now], over_fen=paid - now - sum(owed), moving_fen=0)
        assert due is not None and 0 <= due <= payable - now
        payable = now
        owed.append(due)
    assert paid - sum(owed) == min(paid, payable)
