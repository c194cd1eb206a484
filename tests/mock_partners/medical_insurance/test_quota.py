"""No window holds more than n accepted or refused arrivals unseen: every one too many is named."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from mock_partners.medical_insurance.quota import Gate, Limit
from mock_partners.memory import Memory, Table

WINDOW_MS = 600


def gate(n: int) -> Gate:
    return Gate(Table(Memory(None), "arrivals"), Limit(n, WINDOW_MS / 1000))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(1, 5))
def test_an_arrival_is_one_too_many_exactly_if_n_lie_within_the_window_before(steps: list[int], n: int) -> None:
    watched, times, at = gate(n), list[int](), 0
    for step in steps:
        at += step
        within = sum(1 for earlier in times if at - earlier < WINDOW_MS)
        assert watched.arrive(at, "m")["accepted"] == (within < n)
        times.append(at)


def test_a_fixed_window_would_let_twice_as_many_through() -> None:
    watched = gate(2)
    assert [watched.arrive(at, "m")["accepted"] for at in (599, 599, 601, 601)] == [True, True, False, False]
    assert watched.arrive(1201, "m")["accepted"]


def test_arrivals_from_many_threads_are_all_counted() -> None:
    watched = gate(10)
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda at: watched.arrive(at, f"m{at}"), range(100)))
    assert sum(row["accepted"] for row in rows) == 10
    assert len(watched.rows()) == 100
    assert watched.was_accepted("m99") is next(row["accepted"] for row in rows if row["msgid"] == "m99")
