from __future__ import annotations

from typing import Any

from demo.found import Expected, expected

BOOKED = {"1", "2", "3", "4", "5"}


def _change(number: str, what: str) -> dict[str, Any]:
    return {"clearing_no": number, "what": what}


def test_every_set_follows_from_what_the_parties_did() -> None:
    altered = {
        "H1": [_change("1", "dropped"), _change("2", "dropped"), _change("9", "added"), _change("8", "added")],
        "H2": [_change("4", "amount")],
        "I1": [_change("2", "dropped"), _change("3", "dropped"), _change("7", "added"), _change("8", "added")],
        "I2": [_change("5", "status")],
    }
    assert expected(BOOKED, altered) == Expected(
        {"1": "011", "2": "010", "3": "110", "9": "100", "8": "101", "7": "001"}, {"4"}, {"5"}
    )


def test_untouched_books_leave_nothing_to_find() -> None:
    assert expected(BOOKED, {"H1": [], "I1": []}) == Expected()


def test_a_row_taken_out_and_put_back_is_no_difference() -> None:
    altered = {"H1": [_change("1", "dropped"), _change("1", "added")]}
    assert expected(BOOKED, altered) == Expected()
