"""The comparison of three books in the plainest way, with sets: what the night's figures must say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from demo.invariants.books import HOSPITAL, INSURER, PLATFORM, ROLES, Book, Entry

SETS = ("111", "110", "101", "100", "011", "010", "001")
SCOPES: Mapping[str, tuple[str, ...]] = {
    "hospital_platform": (HOSPITAL, PLATFORM),
    "platform_insurer": (PLATFORM, INSURER),
    "three_party": ROLES,
}
# Whose amount counts in a total where the parties differ or are missing.
_AMOUNT_OF = (PLATFORM, INSURER, HOSPITAL)


@dataclass
class Total:
    """Over the numbers that any of the parties concerned has; it succeeds where all have it and say the same."""

    count: int = 0
    amount_fen: int = 0
    success_count: int = 0
    success_amount_fen: int = 0


@dataclass
class Comparison:
    """Numbers by their set, and those on which two or three parties say different amounts or states."""

    sets: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in SETS})
    amount_differs: set[str] = field(default_factory=set)
    status_differs: set[str] = field(default_factory=set)
    totals: dict[str, Total] = field(default_factory=dict)


def compare(books: Mapping[str, Book]) -> Comparison:
    numbers = set().union(*(book.rows for book in books.values()))
    found = Comparison()
    for number in numbers:
        said = {role: books[role].rows[number] for role in ROLES if number in books[role].rows}
        found.sets["".join("1" if role in said else "0" for role in ROLES)].add(number)
        if len({entry.amount_fen for entry in said.values()}) > 1:
            found.amount_differs.add(number)
        if len({entry.status for entry in said.values()}) > 1:
            found.status_differs.add(number)
        for scope, concerned in SCOPES.items():
            _count(found.totals.setdefault(scope, Total()), concerned, said)
    return found


def _count(total: Total, concerned: tuple[str, ...], said: Mapping[str, Entry]) -> None:
    mine = {role: said[role] for role in concerned if role in said}
    if not mine:
        return
    amount_fen = next(mine[role].amount_fen for role in _AMOUNT_OF if role in mine)
    total.count += 1
    total.amount_fen += amount_fen
    if len(mine) == len(concerned) and len({(entry.amount_fen, entry.status) for entry in mine.values()}) == 1:
        total.success_count += 1
        total.success_amount_fen += amount_fen
