"""What may be claimed, what stays payable, and who must act in which state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claim import rules
from app.claim.states import HOLDER, RECOVERY_HOLDER, RecoveryState, State, claims, recoveries

bills = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1)


@given(bills)
def test_what_was_payable_stays_payable_under_a_decision_that_is_not_below_it(
    found: dict[str, tuple[int, int]],
) -> None:
    payable, approved = ({no: pair[place] for no, pair in found.items()} for place in (0, 1))
    kept = rules.carry_over(payable, approved)
    if sum(payable.values()) > sum(approved.values()):
        assert kept is None
    else:
        assert kept is not None and sum(kept.values()) == sum(payable.values())
        assert all(0 <= kept[no] <= approved[no] for no in found)


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
    assert set(RECOVERY_HOLDER) == set(RecoveryState)
    assert set(rules.RECOVERY_TEXTS) == set(RecoveryState)


def test_an_ended_claim_never_moves_again() -> None:
    for state in (State.INELIGIBLE, State.WITHDRAWN, State.CLOSED):
        assert not [event for event in claims.events if claims.target(state, event)]
    for ended in (RecoveryState.REPAID, RecoveryState.WRITTEN_OFF, RecoveryState.VOID):
        assert not [event for event in recoveries.events if recoveries.target(ended, event)]


def test_every_state_can_be_reached() -> None:
    assert {State.SUBMITTED, *claims.table.values()} == set(State)
    assert {RecoveryState.WAITING, *recoveries.table.values()} == set(RecoveryState)
