"""Yuan of the wire and fen of the books, exactly."""

from __future__ import annotations

from decimal import Decimal


def to_fen(text: str) -> int:
    """ "12.30" -> 1230; ValueError for what is not written with two places."""
    if text[-3:-2] != ".":
        raise ValueError("two places are needed")
    return int(Decimal(text) * 100)


def to_yuan(fen: int) -> str:
    return f"{Decimal(fen) / 100:.2f}"
