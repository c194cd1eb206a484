"""A party's book between its arrival and its comparison: from what was sent to columns, packed for keeping.

Kept with the party's own words for the status; they become ours when the books are compared.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from app.reconciliation import rules
from app.reconciliation.engine.ledger import BAD_ROW_SCHEMA, ROW_SCHEMA, Ledger
from app.reconciliation.engine.ledger_file import ENCODINGS, read_ledger

_TEXT_COLUMNS = ("clearing_no", "amount_fen", "status", "kind")
_KINDS = ("pay", rules.REVERSE)


def from_rows(rows: Sequence[Mapping[str, Any]]) -> Ledger:
    """The book in a ledger batch (`rows` = [{type, key, version, data}]); a row's line is its place from 1."""
    data = [row["data"] for row in rows]
    columns: dict[str, list[str | None]] = {name: [_text(item.get(name)) for item in data] for name in _TEXT_COLUMNS}
    columns["fault"] = [None if item.get("kind", "pay") in _KINDS else "columns" for item in data]
    return Ledger.from_frame(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))


def from_csv(content: bytes, encoding: str = ENCODINGS[0]) -> Ledger:
    """The book in a file with a trailer. LedgerFileError."""
    return read_ledger(content, encoding=encoding, trailer_needed=True)


def from_copy(content: bytes, codes: Mapping[str, str]) -> Ledger:
    """The platform's own book as PostgreSQL copied it out; `codes` turns party ids into codes."""
    frame = pl.read_csv(content, schema_overrides=dict.fromkeys(("clearing_no", "hospital", "insurer"), pl.String))
    owners = [pl.col(name).replace(dict(codes)) for name in ("hospital", "insurer")]
    return Ledger.from_frame(frame.with_columns(owners))


def verdicts(ledger: Ledger, keys: Sequence[str]) -> list[tuple[str, str | None]]:
    """For each of the keys in a batch, in order, its key and why the row is bad, None if it is not."""
    reasons = dict(ledger.bad_rows.select("line", "reason").iter_rows())
    return [(key, reasons.get(line)) for line, key in enumerate(keys, 1)]


def pack(ledger: Ledger) -> bytes:
    """Good and bad rows as one Parquet file; a good row has no reason."""
    file = io.BytesIO()
    pl.concat([ledger.rows, ledger.bad_rows], how="diagonal").write_parquet(file)
    return file.getvalue()


def unpack(packed: bytes) -> Ledger:
    frame = pl.read_parquet(packed)
    good = frame.filter(pl.col("reason").is_null()).select(list(ROW_SCHEMA))
    return Ledger(good, frame.filter(pl.col("reason").is_not_null()).select(list(BAD_ROW_SCHEMA)))


def joined(ledgers: Sequence[Ledger]) -> Ledger:
    """Several batches of one party as one book: lines go on counting."""
    rows, bad, lines = [Ledger.empty().rows], [Ledger.empty().bad_rows], 0
    for ledger in ledgers:
        rows.append(ledger.rows.with_columns((pl.col("line") + lines).cast(pl.UInt32)))
        bad.append(ledger.bad_rows.with_columns((pl.col("line") + lines).cast(pl.UInt32)))
        lines += ledger.declared
    return Ledger(pl.concat(rows), pl.concat(bad))


def of_role(role: str, books: Iterable[tuple[str, Ledger]]) -> tuple[Ledger, list[tuple[str, int]]]:
    """All parties' books of one role as one, in our words, with the party's code in the column named after the role.

    Lines count on from party to party; the list says after which line each party's begin.
    """
    rows, bad, starts, lines = [], [], [], 0
    for code, ledger in books:
        starts.append((code, lines))
        shift = (pl.col("line") + lines).cast(pl.UInt32)
        status = pl.col("status").replace(rules.words(role))
        rows.append(ledger.rows.with_columns(shift, status, pl.lit(code).alias(role)))
        bad.append(ledger.bad_rows.with_columns(shift))
        lines += _last_line(ledger)
    empty = Ledger.empty()
    rows = rows or [empty.rows.with_columns(pl.lit(None, dtype=pl.String).alias(role))]
    return Ledger(pl.concat(rows), pl.concat(bad or [empty.bad_rows])), starts


def only(ledger: Ledger, wanted: pl.Expr) -> Ledger:
    """The good rows for which `wanted` holds, and all bad ones."""
    return Ledger(ledger.rows.filter(wanted), ledger.bad_rows)


def _last_line(ledger: Ledger) -> int:
    lines = [int(column.max() or 0) for column in (ledger.rows["line"], ledger.bad_rows["line"])]  # type: ignore[arg-type]
    return max(lines)


def _text(value: Any) -> str | None:
    """Text and integers as text; anything else is as good as missing."""
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) else None
