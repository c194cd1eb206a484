"""Ledger files for tests: valid numbers and their CSV text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from app.core.ids import clearing_number
from app.reconciliation.engine.ledger import PARTIES, Ledger
from app.reconciliation.engine.ledger_file import read_ledger_file

DAY = date(2026, 11, 21)
HEADER = "clearing_no,amount_fen,status\n"


def number(ordinal: int, day: date = DAY) -> str:
    return clearing_number(day, ordinal)


def line(ordinal: int, amount_fen: int = 100, status: str = "success", day: date = DAY) -> str:
    return f"{number(ordinal, day)},{amount_fen},{status}\n"


def write(path: Path, lines: Iterable[str], header: str = HEADER) -> Path:
    path.write_text(header + "".join(lines), encoding="utf-8")
    return path


def write_all(directory: Path, *books: Iterable[str]) -> dict[str, Path]:
    """The three parties' files, in the order of PARTIES."""
    return {party: write(directory / f"{party}.csv", book) for party, book in zip(PARTIES, books, strict=True)}


def read_all(paths: dict[str, Path]) -> dict[str, Ledger]:
    return {party: read_ledger_file(path) for party, path in paths.items()}
