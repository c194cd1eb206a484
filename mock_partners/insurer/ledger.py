"""The insurer's own books: one row per bill taken in, its amount from the insurer's own sum over the package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mock_partners import books
from mock_partners.memory import Table

WORDS = books.Words(success="booked", failure="void")


class Ledger:
    """Rows by clearing number; alterations lie over them and never touch them."""

    def __init__(self, rows: Table, altered: Table) -> None:
        self._rows, self._altered = rows, altered

    def book(self, bills: Iterable[Mapping[str, Any]], claim_no: str, at: str) -> None:
        """One `pay` row per bill of a package: Σ lines less what the fund paid."""
        for bill in bills:
            borne_fen = sum(line["amount_fen"] for line in bill["lines"]) - bill["fund_fen"]
            self._put(bill["clearing_no"], "pay", "", borne_fen, claim_no=claim_no, at=at)

    def reverse(self, number: str, original: str, at: str) -> None:
        """A `reverse` row of the same amount under its own number; raises KeyError if the original is not booked."""
        row = self._rows[original]
        self._put(number, "reverse", original, row["amount_fen"], claim_no=row["claim_no"], at=at)

    def strike(self, claim_no: str, keep: Iterable[str]) -> None:
        """Take back the rows of a claim that its next package version no longer has."""
        kept = set(keep)
        for number, row in list(self._rows.items()):
            if row["claim_no"] == claim_no and number not in kept:
                del self._rows[number]

    def claim_of(self, number: str) -> str | None:
        return self._rows[number]["claim_no"] if number in self._rows else None

    def alter(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Alter as told or as the seed says, once per body. Raises books.BadInstruction."""
        key = books.key_of(body)
        if key not in self._altered:
            alterations = books.plan(self._altered_rows(), body, WORDS)
            self._altered.put(key, {"alterations": [a.as_json() for a in alterations]})
        return list(self._altered[key]["alterations"])

    def alterations(self) -> list[dict[str, Any]]:
        return [a for entry in self._altered.values() for a in entry["alterations"]]

    def rows_of(self, business_date: str) -> list[dict[str, Any]]:
        rows = self._altered_rows()
        return [rows[number] for number in sorted(rows) if books.date_of(number) == business_date]

    def _altered_rows(self) -> dict[str, dict[str, Any]]:
        return books.apply(dict(self._rows.items()), self.alterations())

    def _put(self, number: str, kind: str, original: str, amount_fen: int, *, claim_no: str, at: str) -> None:
        row = self._rows.get(number) or {
            "clearing_no": number,
            "kind": kind,
            "original_clearing_no": original,
            "status": WORDS.success,
            "at": at,
            "claim_no": claim_no,
        }
        self._rows.put(number, {**row, "amount_fen": amount_fen})
