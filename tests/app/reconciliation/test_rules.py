"""Causes, words and sets, without any database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reconciliation import rules
from app.reconciliation.engine.found import SETS
from app.reconciliation.models import Difference
from app.reconciliation.states import DifferenceState

PARTS = ("110", "101", "100", "011", "010", "001")


def test_every_set_but_the_agreed_one_has_a_cause_with_a_next_step() -> None:
    causes = {rules.presence_cause(name) for name in SETS if name != "111"}
    assert len(causes) == 6 and causes <= set(rules.CAUSES)
    assert all(what and step for what, step in rules.CAUSES.values())


def test_the_odd_one_out_is_named() -> None:
    assert rules.odd_one_out("amount", {"hospital": 1, "platform": 2, "insurer": 2}) == "amount_hospital"
    assert rules.odd_one_out("amount", {"hospital": 2, "platform": 1, "insurer": 2}) == "amount_platform"
    assert rules.odd_one_out("status", {"hospital": "a", "platform": "a", "insurer": "b"}) == "status_insurer"
    assert rules.odd_one_out("amount", {"hospital": 1, "platform": 2, "insurer": 3}) == "amount_several"
    assert rules.odd_one_out("status", {"hospital": "a", "insurer": "b"}) == "status_several"


def test_every_cause_that_can_arise_is_explained() -> None:
    arising = {f"{what}_{who}" for what in ("amount", "status") for who in (*rules.ROLES, "several")}
    assert arising <= set(rules.CAUSES)


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4))
def test_parts_are_complete_if_each_party_has_the_number_exactly_once(parts: list[str]) -> None:
    once = all(sum(int(part[place]) for part in parts) == 1 for place in range(3))
    assert rules.complete(parts) is once


def test_words_of_reverse_rows_are_mapped_like_those_of_payments() -> None:
    words = rules.words("hospital")
    assert (words["refunded"], words["reverse:settled"]) == ("undone", "reverse:ok")


def test_the_table_knows_every_kind_of_difference() -> None:
    allowed = str(next(c for c in Difference.__table__.constraints if str(c.name).endswith("kind")).sqltext)  # type: ignore[attr-defined]
    assert all(f"'{kind}'" in allowed for kind in rules.KINDS)


@pytest.mark.parametrize(
    ("status", "name"),
    [("ok", "正常"), ("undone", "已撤销"), ("reverse:ok", "冲正：正常"), ("其他", "其他"), ("a:b", "a:b"), (None, "")],
)
def test_a_status_is_shown_in_words_and_an_unknown_one_as_it_came(status: str | None, name: str) -> None:
    assert rules.status_name(status) == name


def test_every_set_and_every_state_of_a_difference_has_a_name() -> None:
    assert len({rules.meaning(name) for name in SETS}) == len(SETS) == 7
    assert set(rules.HANDLING_NAMES) == set(DifferenceState)
