"""Totals first: a partner that offers them says how many rows its book has, their sum in fen, and a hash over all of
them. Where the three are those of our own rows, its book is known row by row, and the rows need not be fetched.

The hash is the SHA-256, in hexadecimal, of one line `clearing_no,kind,amount_fen,status` and a line feed for each row
(`kind` is pay or reverse, the status the partner's own word), in UTF-8, the lines in ascending order of their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy.orm import Session

from app.claim.queries import clearing
from app.reconciliation import books, rules
from app.reconciliation.engine.ledger import ROW_SCHEMA, Ledger

SOURCE = "totals"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_REVERSED = f"{rules.REVERSE}:"


@dataclass(frozen=True)
class Totals:
    count: int
    amount_fen: int
    sha256: str


def read(said: Any) -> Totals | None:
    """What a partner said, None if it is not in the agreed form or some rows of the book could not be read."""
    if not isinstance(said, dict) or said.get("bad", 0) != 0:
        return None
    count, amount_fen, digest = (said.get(name) for name in ("count", "amount_fen", "sha256"))
    figures_fit = type(count) is int and type(amount_fen) is int
    if not figures_fit or not isinstance(digest, str) or _SHA256.fullmatch(digest) is None:
        return None
    return Totals(count, amount_fen, digest)  # type: ignore[arg-type]


def own_rows(session: Session, day: date, party_id: UUID) -> Ledger:
    """Our own book of a business date, as far as it concerns one hospital or insurer."""
    return books.from_copy(clearing.clearing_ledger(session, day, party_id), {})


def settle(role: str, said: Any, own_rows: Callable[[], Ledger]) -> tuple[Totals, Ledger] | None:
    """What a partner said, and its book, known by these totals alone because they are those of our rows; None where
    they are not, or are not in the agreed form. `own_rows` is asked only for totals that can be read."""
    told = read(said)
    if told is None:
        return None
    book = _in_words_of(role, own_rows())
    return (told, book) if book is not None and of(book) == told else None


def of(book: Ledger) -> Totals:
    """The totals of a book that has no bad row."""
    status = pl.col("status")
    kind = pl.when(status.str.starts_with(_REVERSED)).then(pl.lit(rules.REVERSE)).otherwise(pl.lit("pay"))
    line = pl.format("{},{},{},{}\n", "number", kind, "amount_fen", status.str.strip_prefix(_REVERSED))
    lines = book.rows.select(line.alias("line"))["line"].sort()
    return Totals(book.declared, book.readable_fen, sha256("".join(lines).encode()).hexdigest())


def _in_words_of(role: str, ours: Ledger) -> Ledger | None:
    """Our rows as the partner would say them; None where it has no word, or several, for what one of ours says."""
    words = rules.their_words(role)
    if len(ours.bad_rows) or not ours.rows["status"].is_in(list(words)).all():
        return None
    theirs = ours.rows.with_columns(pl.col("status").replace(words), pl.int_range(1, pl.len() + 1).alias("line"))
    return Ledger(theirs.select(pl.col(name).cast(kind) for name, kind in ROW_SCHEMA.items()), ours.bad_rows)
