"""The published method, literally: one SADD per record by pipeline, then SINTER and SDIFF; amounts compared row by row.

It is the slow arm of the benchmark and the oracle of the tests, so it shares no code with the product.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Mapping
from pathlib import Path

from redis import Redis

PARTIES = ("hospital", "platform", "insurer")
SCOPES = {
    "hospital_platform": ("hospital", "platform"),
    "platform_insurer": ("platform", "insurer"),
    "three_party": PARTIES,
}
_AMOUNT_OF = ("platform", "insurer", "hospital")
_RECORDS_PER_PIPELINE = 1000

Book = dict[str, tuple[int, str]]


def compare_files(redis: Redis, paths: Mapping[str, Path]) -> dict[str, object]:
    """The same figures as `reconcile files` writes, for plain UTF-8 files without trailer. Empties the database."""
    redis.flushdb()
    books, counts = {}, {}
    for party in PARTIES:
        books[party], counts[party] = _read(paths[party])
        _add(redis, party, books[party])
    sets = {name: _members(redis, name) for name in ("111", "110", "101", "100", "011", "010", "001")}
    redis.flushdb()
    everything = set().union(*sets.values())
    return {
        "sets": {name: len(members) for name, members in sets.items()},
        "amount_differs": sum(_differ(books, number, 0) for number in everything),
        "status_differs": sum(_differ(books, number, 1) for number in everything),
        **{name: {party: counts[party][name] for party in PARTIES} for name in counts["hospital"]},
        "totals": {scope: _totals(books, parties) for scope, parties in SCOPES.items()},
    }


def _read(path: Path) -> tuple[Book, dict[str, int]]:
    book: Book = {}
    repeats: list[str] = []
    bad_rows = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number, amount, status = row["clearing_no"] or "", row["amount_fen"] or "", row["status"]
            if not (_is_number(number) and re.fullmatch("[0-9]+", amount) and status):
                bad_rows += 1
            elif number in book:
                repeats.append(number)
            else:
                book[number] = (int(amount), status)
    return book, {"duplicates": len(set(repeats)), "duplicate_rows": len(repeats), "bad_rows": bad_rows}


def _is_number(text: str) -> bool:
    if not re.fullmatch("[0-9]{19}", text):
        return False
    digits = [int(digit) for digit in text]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _add(redis: Redis, party: str, book: Book) -> None:
    records = iter(book)
    while batch := list(itertools.islice(records, _RECORDS_PER_PIPELINE)):
        pipeline = redis.pipeline(transaction=False)
        for number in batch:
            pipeline.sadd(party, number)
        pipeline.execute()


def _members(redis: Redis, name: str) -> set[str]:
    """SINTER of the parties that the name marks 1, SDIFF with the others."""
    at = [party for party, mark in zip(PARTIES, name, strict=True) if mark == "1"]
    not_at = [party for party, mark in zip(PARTIES, name, strict=True) if mark == "0"]
    redis.sinterstore("at", at)
    members: set[bytes] = redis.sdiff(["at", *not_at])  # type: ignore[assignment]
    return {member.decode() for member in members}


def _differ(books: Mapping[str, Book], number: str, field: int) -> bool:
    return len({book[number][field] for book in books.values() if number in book}) > 1


def _totals(books: Mapping[str, Book], parties: tuple[str, ...]) -> dict[str, int]:
    success_count = success_fen = count = fen = 0
    for number in set().union(*(books[party] for party in parties)):
        amount = next(books[party][number][0] for party in _AMOUNT_OF if party in parties and number in books[party])
        rows = {books[party].get(number) for party in parties}
        count, fen = count + 1, fen + amount
        if len(rows) == 1:
            success_count, success_fen = success_count + 1, success_fen + amount
    return {
        "count": count,
        "amount_fen": fen,
        "success_count": success_count,
        "success_amount_fen": success_fen,
        "failure_count": count - success_count,
        "failure_amount_fen": fen - success_fen,
    }
