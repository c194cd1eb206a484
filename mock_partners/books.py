"""What hospitals' and insurers' own books have in common: clearing numbers, planned alterations, the ledger file.

A ledger row is a dict `clearing_no, kind, original_clearing_no, amount_fen, status, at`. Amounts are integer fen.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

COLUMNS = ("clearing_no", "kind", "original_clearing_no", "amount_fen", "status", "at")
FIRST_FOREIGN_ORDINAL = 9_000_000_000
Row = dict[str, Any]


class BadInstruction(ValueError):
    """An alteration that names a row the books do not have, or adds one they have."""


@dataclass(frozen=True)
class Words:
    """A party's own words for a row that succeeded and one that failed."""

    success: str
    failure: str

    def other(self, status: str) -> str:
        return self.failure if status == self.success else self.success


@dataclass(frozen=True)
class Alteration:
    """One row of the books that no longer says what it should: what was done and how the row looked."""

    clearing_no: str
    business_date: str
    what: str
    before: Row | None
    after: Row | None

    def as_json(self) -> Row:
        return asdict(self)


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` plus itself pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def luhn_valid(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) > 1 and luhn_digit(number[:-1]) == number[-1]


def clearing_no(business_date: str, ordinal: int) -> str:
    """19 digits: yyyymmdd, ten-digit ordinal, Luhn digit. `business_date` is YYYY-MM-DD."""
    body = business_date.replace("-", "") + f"{ordinal:010d}"
    return body + luhn_digit(body)


def is_clearing_no(number: object) -> bool:
    return isinstance(number, str) and len(number) == 19 and luhn_valid(number)


def date_of(number: str) -> str:
    """The business date inside a clearing number, as YYYY-MM-DD."""
    return f"{number[:4]}-{number[4:6]}-{number[6:8]}"


def key_of(body: Mapping[str, Any]) -> str:
    """The same for two requests that say the same."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def plan(rows: Mapping[str, Row], body: Mapping[str, Any], words: Words) -> list[Alteration]:
    """What the request `POST /__mock__/alter` would alter in `rows` (clearing number -> row). Raises BadInstruction."""
    return _Planner(rows, body, words).plan()


def apply(rows: Mapping[str, Row], alterations: Iterable[Mapping[str, Any]]) -> dict[str, Row]:
    """The books as they read after the alterations (dicts as `Alteration.as_json` makes them)."""
    altered = {number: dict(row) for number, row in rows.items()}
    for alteration in alterations:
        number, after = alteration["clearing_no"], alteration["after"]
        if after is None:
            altered.pop(number, None)
        elif number in altered:
            altered[number].update(after)
        else:
            altered[number] = _foreign_row(number, alteration["business_date"], after)
    return altered


def _foreign_row(number: str, business_date: str, after: Mapping[str, Any]) -> Row:
    return {
        "clearing_no": number,
        "kind": "pay",
        "original_clearing_no": "",
        "at": f"{business_date}T12:00:00+08:00",
        **after,
    }


class _Planner:
    def __init__(self, rows: Mapping[str, Row], body: Mapping[str, Any], words: Words) -> None:
        self.business_date = str(body["business_date"])
        self.rows = rows
        self.words = words
        self.random = random.Random(int(body.get("seed", 0)))
        named = {key: list(body.get(key) or ()) for key in ("drop", "add", "amount", "status")}
        self.body = named if any(named.values()) else self._choose(body.get("choose") or {})

    def plan(self) -> list[Alteration]:
        return [
            *(self._dropped(number) for number in self.body["drop"]),
            *(self._amount(_named(item)) for item in self.body["amount"]),
            *(self._status(_named(item)) for item in self.body["status"]),
            *(self._added(row) for row in self.body["add"]),
        ]

    def _choose(self, counts: Mapping[str, int]) -> dict[str, list[Any]]:
        here = sorted(n for n, row in self.rows.items() if date_of(n) == self.business_date and row["kind"] == "pay")
        self.random.shuffle(here)
        chosen: dict[str, list[Any]] = {}
        for key in ("drop", "amount", "status"):
            count = counts.get(key, 1)
            chosen[key], here = here[:count], here[count:]
        chosen["add"] = [self._invented() for _ in range(counts.get("add", 1))]
        return chosen

    def _invented(self) -> Row:
        ordinal = self.random.randrange(FIRST_FOREIGN_ORDINAL, 10**10)
        return {
            "clearing_no": clearing_no(self.business_date, ordinal),
            "amount_fen": self.random.randrange(1, 500_000),
        }

    def _row(self, number: str) -> Row:
        if number not in self.rows:
            raise BadInstruction(f"no row {number} in these books")
        row = self.rows[number]
        return {"amount_fen": row["amount_fen"], "status": row["status"]}

    def _alteration(self, number: str, what: str, after: Row | None) -> Alteration:
        before = self._row(number)
        if before == after:
            raise BadInstruction(f"row {number} says so already")
        return Alteration(number, self.business_date, what, before, after)

    def _dropped(self, number: str) -> Alteration:
        return self._alteration(number, "dropped", None)

    def _amount(self, item: Row) -> Alteration:
        before = self._row(item["clearing_no"])
        amount_fen = item.get("amount_fen", before["amount_fen"] + self.random.randrange(1, 10_000))
        return self._alteration(item["clearing_no"], "amount", {**before, "amount_fen": int(amount_fen)})

    def _status(self, item: Row) -> Alteration:
        before = self._row(item["clearing_no"])
        status = item.get("status", self.words.other(before["status"]))
        return self._alteration(item["clearing_no"], "status", {**before, "status": status})

    def _added(self, item: Row) -> Alteration:
        number = item["clearing_no"]
        if not is_clearing_no(number):
            raise BadInstruction("an added row needs a 19-digit number with a right check digit")
        if number in self.rows:
            raise BadInstruction(f"row {number} is in these books already")
        after = {"amount_fen": int(item["amount_fen"]), "status": item.get("status", self.words.success)}
        return Alteration(number, self.business_date, "added", None, after)


def _named(item: str | Row) -> Row:
    return {"clearing_no": item} if isinstance(item, str) else dict(item)


def csv_file(columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]], fault: str = "") -> str:
    """CSV with a header, one line per row and `#TRAILER,<count>,<amount_fen>,<sha256 of all lines before it>`.

    `fault` spoils the file: `no_trailer`, or a wrong `count`, `amount` or `sha256` in the trailer.
    """
    lines, amount_fen = [",".join(columns)], 0
    for row in rows:
        lines.append(",".join("" if row[c] is None else str(row[c]) for c in columns))
        amount_fen += int(row["amount_fen"])
    text = "\n".join(lines) + "\n"
    if fault == "no_trailer":
        return text
    count = len(lines) - 1 + (fault == "count")
    digest = hashlib.sha256(text.encode() + (b"?" if fault == "sha256" else b"")).hexdigest()
    return text + f"#TRAILER,{count},{amount_fen + (fault == 'amount')},{digest}\n"


def totals(rows: Iterable[Mapping[str, Any]], fault: str = "") -> dict[str, Any]:
    """`count`, `amount_fen` and `sha256` over the sorted lines `clearing_no,kind,amount_fen,status` of these rows.

    `fault` spoils one of the three (`count`, `amount_fen`, `sha256`) or leaves it out (`no count`, …).
    """
    lines, amount_fen = [], 0
    for row in rows:
        lines.append(f"{row['clearing_no']},{row['kind']},{row['amount_fen']},{row['status']}\n")
        amount_fen += int(row["amount_fen"])
    digest = hashlib.sha256("".join(sorted(lines)).encode() + (b"?" if fault == "sha256" else b"")).hexdigest()
    said = {
        "count": len(lines) + (fault == "count"),
        "amount_fen": amount_fen + (fault == "amount_fen"),
        "sha256": digest,
    }
    return {name: value for name, value in said.items() if fault != f"no {name}"}
