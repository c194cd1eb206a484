"""How many rows a reading may take."""

from __future__ import annotations

from hospital_agent.source.records import Budget


def test_a_budget_is_cut_when_a_reading_took_all_that_it_might() -> None:
    budget = Budget(10)
    budget.take(3, 5)
    assert (budget.left, budget.cut) == (7, False)
    budget.take(5, 5)
    assert (budget.left, budget.cut) == (2, True)
