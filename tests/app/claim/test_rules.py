"""A decision adds up: whatever the insurer's own arithmetic comes to is accepted, whatever grows on the way is not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claim import rules
from app.claim.states import HOLDER, State, claims
from mock_partners.insurer.reasons import of
from mock_partners.insurer.rules import Bill, Line, Terms, adjudicate

amounts = st.lists(st.integers(-50_000, 500_000), min_size=1, max_size=8).filter(lambda lines: sum(lines) > 0)


@given(amounts, st.data())
def test_every_decision_of_a_sound_insurer_adds_up(lines: list[int], data: st.DataObject) -> None:
    declined = data.draw(st.sets(st.integers(0, len(lines) - 1)))
    borne = data.draw(st.integers(0, sum(lines)))
    terms = Terms(
        Decimal(data.draw(st.integers(0, 100))) / 100,
        data.draw(st.integers(0, 10_000)),
        data.draw(st.integers(0, 10**6)),
    )
    no = (of("self_funded"),)
    billed = tuple(Line(i, fen, no if i in declined else ()) for i, fen in enumerate(lines))
    verdicts = adjudicate((Bill("2026112100000000019", borne, billed),), terms)
    for verdict in verdicts:
        assert rules.line_adds_up(
            billed_fen=verdict.billed_fen,
            covered_fen=verdict.covered_fen,
            deductible_fen=verdict.deductible_fen,
            approved_fen=verdict.approved_fen,
        ), verdict
    assert 0 <= sum(verdict.approved_fen for verdict in verdicts) <= borne


@given(st.tuples(*[st.integers(-1_000, 1_000)] * 4))
def test_nothing_grows_on_its_way_through_a_line(line: tuple[int, int, int, int]) -> None:
    billed, covered, deductible, approved = line
    if rules.line_adds_up(
        billed_fen=billed, covered_fen=covered, deductible_fen=deductible, approved_fen=approved
    ):  # fmt: skip
        assert abs(approved) <= abs(covered) <= abs(billed)
        assert approved <= covered - deductible or billed < 0
        assert approved * billed >= 0 and deductible >= 0


@pytest.mark.parametrize(
    ("bill", "code"),
    [
        ({}, None),
        ({"state": "unsettled"}, "bill_unsettled"),
        ({"state": "refunded"}, "bill_refunded"),
        ({"refused": "lines_do_not_add_up"}, "bill_refused"),
        ({"borne_fen": 0}, "bill_zero"),
        ({"e_bill_state": None}, None),
        ({"e_bill_state": "reversed"}, "e_bill_reversed"),
    ],
)
def test_the_first_reason_against_a_bill(bill: dict[str, object], code: str | None) -> None:
    sound = {"state": "settled", "refused": None, "borne_fen": 1, "e_bill_state": "issued"}
    assert rules.why_not_claimable(**sound | bill) == code  # type: ignore[arg-type]


def test_every_state_names_who_must_act() -> None:
    assert set(HOLDER) == set(State)


def test_an_ended_claim_never_moves_again() -> None:
    for state in (State.INELIGIBLE, State.WITHDRAWN, State.CLOSED):
        assert not [event for event in claims.events if claims.target(state, event)]


def test_every_state_can_be_reached() -> None:
    assert {State.SUBMITTED, *claims.table.values()} == set(State)
