"""What breaks a day whose bills do not agree is told in full."""

from __future__ import annotations

from demo.day.funds import wrong


def test_what_was_found_and_whose_bill_is_missing_is_named() -> None:
    parties = [
        {"code": "H1", "blocked_code": None},
        {"code": "B1", "blocked_code": "not_reached"},
    ]
    differences = [{"cause": "bill_lacks", "key": "payout:PO1"}]
    told = wrong({"status": "blocked", "parties": parties, "differences": differences})
    assert told == "blocked; B1 not_reached; bill_lacks payout:PO1"
