"""A decision adds up to the fen: whatever a sound insurer comes to is accepted, whatever is a fen beside it is not."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claim.arithmetic import Line, fault
from mock_partners.insurer.reasons import of
from mock_partners.insurer.rules import Bill, Terms, Verdict, adjudicate
from mock_partners.insurer.rules import Line as Billed

NO = "2026112100000000019"
amounts = st.lists(st.integers(-50_000, 500_000), min_size=1, max_size=8).filter(lambda lines: sum(lines) > 0)
ratios = st.decimals(0, 1, places=4)


def line(**wrong: object) -> Line:
    usual = {
        "clearing_no": NO, "line_no": 1, "billed_fen": 1_000, "covered_fen": 900, "deductible_fen": 100,
        "ratio": Decimal("0.8"), "cap_fen": 40, "approved_fen": 600,
    }  # fmt: skip
    return Line(**{**usual, **wrong})  # type: ignore[arg-type]


def as_line(verdict: Verdict, ratio: Decimal) -> Line:
    cap_fen = sum(reason.cap_fen for reason in verdict.reasons)
    names = ("clearing_no", "line_no", "billed_fen", "covered_fen", "deductible_fen", "approved_fen")
    return Line(**{name: getattr(verdict, name) for name in names}, ratio=ratio, cap_fen=cap_fen)


@given(amounts, ratios, st.data())
def test_every_decision_of_a_sound_insurer_adds_up(lines: list[int], ratio: Decimal, data: st.DataObject) -> None:
    """The double rounds once for a bill, takes deductible and ceiling, and leaves to others what they have paid."""
    declined = data.draw(st.sets(st.integers(0, len(lines) - 1)))
    borne = data.draw(st.integers(0, sum(lines)))
    terms = Terms(ratio, data.draw(st.integers(0, 10_000)), data.draw(st.integers(0, 10**6)))
    no = (of("self_funded"),)
    billed = tuple(Billed(i, fen, no if i in declined else ()) for i, fen in enumerate(lines))
    verdicts = adjudicate((Bill(NO, borne, billed, data.draw(st.none() | st.integers(0, borne))),), terms)
    decided = [as_line(verdict, ratio) for verdict in verdicts]
    assert fault(decided) is None, decided
    assert 0 <= sum(one.approved_fen for one in decided) <= borne


@given(st.lists(st.tuples(st.integers(0, 10**6), ratios), min_size=1, max_size=6))
def test_an_insurer_that_rounds_each_line_adds_up_too(bases: list[tuple[int, Decimal]]) -> None:
    rounded = [int((base * ratio).quantize(Decimal(1), ROUND_HALF_UP)) for base, ratio in bases]
    lines = [
        line(line_no=no, billed_fen=base, covered_fen=base, deductible_fen=0, ratio=ratio, cap_fen=0, approved_fen=fen)
        for no, ((base, ratio), fen) in enumerate(zip(bases, rounded, strict=True))
    ]
    assert fault(lines) is None


@given(st.integers(0, 10**6), ratios, st.integers(-3, 3).filter(bool))
def test_a_fen_beside_it_is_named(base: int, ratio: Decimal, beside: int) -> None:
    right = int((base * ratio).quantize(Decimal(1), ROUND_HALF_UP))
    wrong = line(billed_fen=base, covered_fen=base, deductible_fen=0, ratio=ratio, cap_fen=0,
                 approved_fen=right + beside)  # fmt: skip
    found = fault([wrong])
    assert found is not None and found.code in ("line_does_not_add_up", "bill_does_not_add_up")


@pytest.mark.parametrize(
    "wrong",
    [
        {"approved_fen": 601},
        {"approved_fen": 599},
        {"cap_fen": 0},
        {"cap_fen": -40, "approved_fen": 680},
        {"cap_fen": 700, "approved_fen": -60},
        {"deductible_fen": -1},
        {"covered_fen": 1_001},
        {"deductible_fen": 901},
        {"ratio": Decimal("0.8001")},
        {"billed_fen": -1_000},
        {"billed_fen": -10, "covered_fen": -11, "deductible_fen": 0, "cap_fen": 0, "approved_fen": -9},
        {"billed_fen": -10, "covered_fen": -10, "deductible_fen": 0, "cap_fen": 1, "approved_fen": -9},
        {"billed_fen": -10, "covered_fen": -10, "deductible_fen": 0, "cap_fen": 0, "approved_fen": 8},
    ],
)
def test_what_does_not_add_up_is_named_with_its_place(wrong: dict[str, object]) -> None:
    assert fault([line()]) is None
    found = fault([line(line_no=7), line(line_no=8, **wrong)])
    if wrong == {"ratio": Decimal("0.8001")}:
        assert found is None, "640.08 is 640"
        return
    assert found is not None and (found.code, found.place) == ("line_does_not_add_up", f"{NO}/8")


def test_a_return_takes_back_what_it_was_paid_for() -> None:
    back = line(billed_fen=-10, covered_fen=-10, deductible_fen=0, cap_fen=0, approved_fen=-8)
    assert fault([line(), back]) is None
    assert fault([line(), replace(back, approved_fen=-7)]) is not None


def test_lines_that_are_each_near_enough_but_wrong_in_sum_are_named_by_their_bill() -> None:
    three = [
        line(line_no=no, billed_fen=3, covered_fen=3, deductible_fen=0, ratio=Decimal("0.5"), cap_fen=0,
             approved_fen=fen) for no, fen in enumerate((1, 1, 1))
    ]  # fmt: skip
    found = fault(three)  # 4.5 in all: 5 over the bill, or 2 each
    assert found is not None and (found.code, found.place) == ("bill_does_not_add_up", NO)
    assert fault([replace(three[0], approved_fen=2), replace(three[1], approved_fen=2), three[2]]) is None
    assert fault([replace(one, approved_fen=2) for one in three]) is None
