"""Clearing numbers, altered books and the ledger file."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_partners import books

DAY = "2026-11-21"
WORDS = books.Words("booked", "void")


def row(ordinal: int, kind: str = "pay") -> books.Row:
    return {
        "clearing_no": books.clearing_no(DAY, ordinal),
        "kind": kind,
        "original_clearing_no": "",
        "amount_fen": ordinal * 100,
        "status": "booked",
        "at": "2026-11-21T10:00:00Z",
    }


ROWS = {one["clearing_no"]: one for one in map(row, range(1, 21))}


@given(st.integers(0, 10**10 - 1), st.integers(0, 18), st.integers(1, 9))
def test_a_wrong_digit_is_seen(ordinal: int, place: int, more: int) -> None:
    number = books.clearing_no(DAY, ordinal)
    assert books.is_clearing_no(number)
    assert books.date_of(number) == DAY
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert not books.is_clearing_no(wrong)


def test_the_luhn_digit_is_that_of_the_published_example() -> None:
    assert books.luhn_digit("7992739871") == "3"
    assert not books.luhn_valid("٣")
    assert not books.is_clearing_no("0" * 18)


@given(
    st.integers(0, 10**6), st.fixed_dictionaries({k: st.integers(0, 5) for k in ("drop", "add", "amount", "status")})
)
def test_what_is_reported_is_what_differs(seed: int, counts: dict[str, int]) -> None:
    body = {"business_date": DAY, "seed": seed, "choose": counts}
    plan = [one.as_json() for one in books.plan(ROWS, body, WORDS)]
    assert plan == [one.as_json() for one in books.plan(ROWS, body, WORDS)]
    after = books.apply(ROWS, plan)
    assert all(books.is_clearing_no(number) for number in after)
    differing = {number for number in ROWS.keys() | after.keys() if ROWS.get(number) != after.get(number)}
    assert sorted(differing) == sorted(one["clearing_no"] for one in plan)
    assert len(plan) == sum(counts.values())
    assert {number for number in after if number not in ROWS} == {
        p["clearing_no"] for p in plan if p["what"] == "added"
    }


def test_explicit_instructions_are_followed() -> None:
    numbers = sorted(ROWS)
    foreign = books.clearing_no(DAY, 77)
    body = {
        "business_date": DAY,
        "seed": 1,
        "drop": [numbers[0]],
        "amount": [numbers[1], {"clearing_no": numbers[2], "amount_fen": 7}],
        "status": [numbers[3]],
        "add": [{"clearing_no": foreign, "amount_fen": 9}],
    }
    after = books.apply(ROWS, [one.as_json() for one in books.plan(ROWS, body, WORDS)])
    assert numbers[0] not in after
    assert after[numbers[1]]["amount_fen"] != ROWS[numbers[1]]["amount_fen"]
    assert (after[numbers[2]]["amount_fen"], after[numbers[3]]["status"]) == (7, "void")
    assert (after[foreign]["amount_fen"], after[foreign]["status"], after[foreign]["kind"]) == (9, "booked", "pay")


@pytest.mark.parametrize(
    "wrong",
    [
        {"drop": [books.clearing_no(DAY, 99)]},
        {"amount": [{"clearing_no": books.clearing_no(DAY, 1), "amount_fen": 100}]},
        {"status": [{"clearing_no": books.clearing_no(DAY, 1), "status": "booked"}]},
        {"add": [{"clearing_no": books.clearing_no(DAY, 1), "amount_fen": 1}]},
        {"add": [{"clearing_no": "1" * 19, "amount_fen": 1}]},
    ],
)
def test_instructions_that_cannot_be_followed_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(books.BadInstruction):
        books.plan(ROWS, {"business_date": DAY, "seed": 1, **wrong}, WORDS)


def test_reversals_are_never_chosen_by_seed() -> None:
    rows = {one["clearing_no"]: one for one in (row(1), row(2, "reverse"))}
    plan = books.plan(rows, {"business_date": DAY, "seed": 3, "choose": {"drop": 5, "add": 0}}, WORDS)
    assert [one.clearing_no for one in plan] == [books.clearing_no(DAY, 1)]


def test_the_file_declares_count_sum_and_hash() -> None:
    text = books.csv_file(books.COLUMNS, ROWS.values())
    body, trailer = text.rsplit("#TRAILER,", 1)
    assert body.splitlines()[0] == "clearing_no,kind,original_clearing_no,amount_fen,status,at"
    assert trailer == f"20,21000,{hashlib.sha256(body.encode()).hexdigest()}\n"
    for fault in ("count", "amount", "sha256", "no_trailer"):
        assert books.csv_file(books.COLUMNS, ROWS.values(), fault) != text


def test_totals_are_those_of_the_rows_in_any_order() -> None:
    rows = list(ROWS.values())
    lines = [f"{one['clearing_no']},pay,{one['amount_fen']},booked\n" for one in rows]
    told = books.totals(random.Random(1).sample(rows, len(rows)))
    assert told == {
        "count": 20,
        "amount_fen": 21_000,
        "sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }
    for fault in ("count", "amount_fen", "sha256"):
        spoilt = books.totals(rows, fault)
        assert {name for name in told if told[name] != spoilt[name]} == {fault}
        assert books.totals(rows, f"no {fault}").keys() == told.keys() - {fault}
