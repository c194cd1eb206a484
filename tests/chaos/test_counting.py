"""What the chaos runs count, and that their baseline loses; the runs themselves in their shortest form."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from chaos import counting


def test_an_inversion_is_counted() -> None:
    places = {"a": 1, "b": 2, "c": 3}
    assert counting.inversions(["a", "b", "c"], places) == 0
    assert counting.inversions(["a", "c", "b"], places) == 1
    assert counting.inversions(["a", "x", "b"], places) == 1, "one that stands in no line"


def test_who_was_let_in_out_of_order_is_counted_by_acceptance() -> None:
    """The line's own numbers may be wrong: what counts is who was accepted first."""
    order = [UUID(int=number) for number in range(3)]
    rows = [{"no": f"rg{place}", "person": person} for place, person in enumerate((order[1], order[0], order[2]))]
    rows.append({"no": None, "person": order[2]})
    found = counting._by_acceptance(["rg0", "rg1", "over-http", "rg2"], rows, order)
    assert found == (["rg0", "rg1", "rg2"], {"rg0": 2, "rg1": 1, "rg2": 3})
    assert counting.inversions(*found) == 1


def test_shuffled_arrivals_never_look_ordered() -> None:
    names = [f"n{number}" for number in range(50)]
    places = {name: place for place, name in enumerate(names, 1)}
    random.Random(1).shuffle(names)
    assert counting.inversions(names, places) > 20


@pytest.mark.parametrize(
    ("status", "theirs", "good"),
    [("registered", "P1", True), ("registered", "P2", False), ("registered", None, False), ("queued", "P1", False)],
)
def test_registered_means_on_both_sides(status: str, theirs: str | None, good: bool) -> None:
    row = {"status": status, "no": "rg1", "patient_no": "P1"}
    assert counting._is_good(row, {"rg1": theirs} if theirs else {}) is good
