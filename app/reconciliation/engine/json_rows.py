"""The rows of a file of JSON lines as columns: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from app.reconciliation.engine.csv_rows import LOST
from app.reconciliation.engine.ledger import OPTIONAL, REQUIRED

_COLUMNS = (*REQUIRED, *OPTIONAL)
_SCHEMA = {"line": pl.UInt32(), **dict.fromkeys((*_COLUMNS, "fault"), pl.String())}


def read_json_rows(data: bytes, encoding: str) -> pl.DataFrame:
    """REQUIRED, those of OPTIONAL that a row has, line, and fault (encoding, columns) where a line is no object.

    An amount is a JSON integer, everything else a string; a value of another type is as good as none.
    """
    frame = pl.DataFrame(list(_rows(data.decode(encoding, "replace"))), schema=_SCHEMA, orient="row")
    absent = [name for name in OPTIONAL if frame[name].null_count() == len(frame)]
    return frame.drop(absent)


def _rows(text: str) -> Iterator[tuple[Any, ...]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row, fault = _read(line)
        yield number, *(_text(name, row.get(name)) for name in _COLUMNS), fault


def _read(line: str) -> tuple[dict[str, Any], str | None]:
    if LOST in line:
        return {}, "encoding"
    try:
        row = json.loads(line, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return {}, "columns"
    return (row, None) if isinstance(row, dict) else ({}, "columns")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a name stands twice")
    return row


def _text(name: str, value: Any) -> str | None:
    if name == "amount_fen":
        return str(value) if type(value) is int else None
    return value if isinstance(value, str) and _is_text(value) else None


def _is_text(value: str) -> bool:
    """Half of a pair of surrogates, which JSON lets through, is none."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
