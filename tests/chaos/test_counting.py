"""What the chaos runs count, and that their baseline loses; the runs themselves in their shortest form."""

from __future__ import annotations

import random

import pytest

from chaos import counting


def test_an_inversion_is_counted() -> None:
    places = {"a": 1, "b": 2, "c": 3}
    assert counting.inversions(["a", "b", "c"], places) == 0
    assert counting.inversions(["a", "c", "b"], places) == 1
    assert counting.inversions(["a", "x", "b"], places) == 1, "one that stands in no line"


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
