"""The rows of a CSV file as columns, one line one row, whatever stands in the lines.

Polars reads the file at once where it can: as integers if nothing else is in it, else as text. A file that has bytes
that cannot be decoded or quotes that do not close is read line by line, and only those lines are lost.
"""

from __future__ import annotations

import csv
import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from app.reconciliation.engine.ledger import OPTIONAL, REQUIRED

FIRST_ROW_LINE = 2
LOST = "\ufffd"  # what a decoder leaves where it could not decode
_SCAN_BYTES = 1 << 18
_INTEGERS = {"clearing_no": pl.UInt64(), "amount_fen": pl.Int64()}
_LINE_WITH_ZERO = int.from_bytes(b"\n0", "little")
_LOOSE_MARKS = (b"-", b"+", b" ", b"\t")  # Polars lets these stand before an integer

Data = bytes | mmap.mmap


def read_rows(path: Path | None, data: Data, names: Sequence[str], encoding: str) -> pl.DataFrame:
    """Those columns of REQUIRED and OPTIONAL that the header `names`, line, and fault where a line could not be read.

    `path`, if given, holds the same bytes as `data` and is read faster.
    """
    frame = _rows_at_once(path, data, names, encoding)
    if frame is None:
        frame = _rows_one_by_one(data, names, encoding)
    return frame.with_columns(line=pl.int_range(FIRST_ROW_LINE, len(frame) + FIRST_ROW_LINE, dtype=pl.UInt32))


def without_blank_lines(frame: pl.DataFrame, data: Data) -> pl.DataFrame:
    """A line without a single character is no row; one of commas alone is a bad row."""
    if not frame["clearing_no"].null_count():
        return frame
    empty = frame.select(pl.all_horizontal(pl.exclude("line").is_null())).to_series()
    if not empty.any():
        return frame
    with memoryview(data) as view:
        ends = np.flatnonzero(np.frombuffer(view, dtype=np.uint8) == ord("\n"))
    starts = [int(ends[line - FIRST_ROW_LINE]) + 1 for line in frame["line"].filter(empty)]
    blank = [data[start : start + 2].startswith((b"\n", b"\r\n")) or start == len(data) for start in starts]
    lines = frame["line"].filter(empty).filter(pl.Series(blank, dtype=pl.Boolean))
    return frame.filter(~pl.col("line").is_in(lines.implode()))


def split_fields(line: str) -> tuple[list[str], str | None]:
    """The fields of a line, and why it cannot be read, if so: encoding or columns."""
    if LOST in line:
        return [], "encoding"
    try:
        return next(csv.reader([line], strict=True), []), None
    except csv.Error:
        return [], "columns"


def _wanted(names: Sequence[str]) -> list[str]:
    return [name for name in REQUIRED + OPTIONAL if name in names]


def _rows_at_once(path: Path | None, data: Data, names: Sequence[str], encoding: str) -> pl.DataFrame | None:
    """None if that is not possible."""
    source: Path | bytes = path or data[:]
    if encoding != "utf-8":
        try:
            source = data[:].decode(encoding).encode()
        except UnicodeDecodeError:
            return None
    quoted, plain = _look_through(data, names)
    try:
        frame = pl.read_csv(
            source,
            schema=_schema(names, plain),
            columns=[names.index(name) for name in _wanted(names)],
            has_header=False,
            skip_lines=1,
            quote_char='"' if quoted else None,
            ignore_errors=plain,
            truncate_ragged_lines=True,
            extra_columns="ignore",
            missing_columns="insert",
            glob=False,
        )
    except pl.exceptions.ComputeError:  # not UTF-8, or quotes that do not close
        return None
    spans_lines = quoted and len(frame) != _line_count(data) - 1
    return None if spans_lines else frame


def _schema(names: Sequence[str], plain: bool) -> dict[str, pl.DataType]:
    """A type for every column of the file, in its order; columns that nobody wants need no name of their own."""
    wanted = _wanted(names)
    labels = [name if name in wanted else f"{place}:{name}" for place, name in enumerate(names)]
    return {label: _INTEGERS.get(label, pl.String()) if plain else pl.String() for label in labels}


def _look_through(data: Data, names: Sequence[str]) -> tuple[bool, bool]:
    """Whether there are quotes, and whether the file is so plain that its integers can be read as such.

    Reading integers is faster than reading text, but lets signs, blanks and leading zeros through. So a file is plain
    if it has no character that could be one of these, and no line that begins with a zero.
    """
    plain, last = names[0] == "clearing_no", b""
    for start in range(data.find(b"\n"), len(data), _SCAN_BYTES):
        piece = last + data[start : start + _SCAN_BYTES]
        if b'"' in piece:
            return True, False
        loose = any(mark in piece for mark in _LOOSE_MARKS) or _has_line_with_zero(piece)
        plain = plain and not loose
        last = piece[-1:]
    return False, plain


def _has_line_with_zero(piece: bytes) -> bool:
    """Two bytes at a time, at even and at odd places: four times as fast as a search for two bytes."""
    even = np.frombuffer(piece, dtype="<u2", count=len(piece) // 2)
    odd = np.frombuffer(piece, dtype="<u2", count=(len(piece) - 1) // 2, offset=1)
    return bool((even == _LINE_WITH_ZERO).any() or (odd == _LINE_WITH_ZERO).any())


def _rows_one_by_one(data: Data, names: Sequence[str], encoding: str) -> pl.DataFrame:
    """The same frame where some lines cannot be decoded or have stray quotes: those carry a `fault`."""
    wanted = _wanted(names)
    columns: dict[str, list[str | None]] = {name: [] for name in [*wanted, "fault"]}
    lines = data[:].decode(encoding, "replace").split("\n")
    for line in lines[1 : len(lines) - (lines[-1] == "")]:
        fields, fault = split_fields(line.removesuffix("\r"))
        row = dict(zip(names, fields, strict=False))
        for name in wanted:
            columns[name].append(row.get(name) or None)
        columns["fault"].append(fault)
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _line_count(data: Data) -> int:
    pieces = range(0, len(data), _SCAN_BYTES)
    ends = sum(data[start : start + _SCAN_BYTES].count(b"\n") for start in pieces)
    return ends + (data[len(data) - 1] != ord("\n"))
