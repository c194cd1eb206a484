"""A party's ledger as a CSV file: header, rows, and a trailer if there is one; plain or gzip.

One line is one row: a quoted field does not span lines. Lines that cannot be read become bad rows with their line
number and never stop the rest. What is wrong with the file as a whole raises LedgerFileError.
"""

from __future__ import annotations

import csv
import gzip
import mmap
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl

from app.reconciliation.engine.ledger import OPTIONAL, REQUIRED, Ledger
from app.reconciliation.engine.trailer import find_trailer

GREATEST_BYTES = 4 * 1024**3
ENCODINGS = ("utf-8", "gb18030")
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_LOST = "\ufffd"  # what a decoder leaves where it could not decode
_FIRST_ROW_LINE = 2
_SCAN_BYTES = 1 << 18
_INTEGERS = {"clearing_no": pl.UInt64(), "amount_fen": pl.Int64()}
_LINE_WITH_ZERO = int.from_bytes(b"\n0", "little")

Data = bytes | mmap.mmap


class LedgerFileError(Exception):
    """The file cannot stand for the party's book. `code`: unreadable, header, or declared (the trailer disagrees)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_ledger_files(
    paths: Mapping[str, Path], *, encoding: str = "utf-8"
) -> tuple[dict[str, Ledger], dict[str, LedgerFileError]]:
    """The ledgers that can be used by party, and why the others cannot. One thread a file."""
    ledgers, refused = {}, {}
    with ThreadPoolExecutor() as threads:
        readings = {party: threads.submit(read_ledger_file, path, encoding=encoding) for party, path in paths.items()}
    for party, reading in readings.items():
        try:
            ledgers[party] = reading.result()
        except LedgerFileError as error:
            refused[party] = error
    return ledgers, refused


def read_ledger_file(path: Path, *, encoding: str = "utf-8") -> Ledger:
    """Read the columns REQUIRED and OPTIONAL by name, judge every row, hold the whole against the trailer."""
    data = _open(path)
    names = _header(data, encoding)
    trailer = find_trailer(data)
    frame = _rows(path, data, names, encoding)
    if frame is None:
        frame = _rows_one_by_one(data, names, encoding)
    frame = frame.with_columns(line=pl.int_range(_FIRST_ROW_LINE, len(frame) + _FIRST_ROW_LINE, dtype=pl.UInt32))
    if trailer:
        frame = frame.head(len(frame) - trailer.tail_lines)
    ledger = Ledger.from_frame(_without_blank_lines(frame, data))
    faults = trailer.faults(data, ledger.declared, ledger.readable_fen) if trailer else []
    if faults:
        raise LedgerFileError("declared", f"the trailer does not match the content: {', '.join(faults)}")
    return ledger


def _open(path: Path) -> Data:
    try:
        with path.open("rb") as file:
            if file.read(2) != _GZIP_MAGIC:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        with gzip.open(path) as packed:
            data = packed.read(GREATEST_BYTES + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise LedgerFileError("unreadable", "the file is missing, empty or damaged") from error
    if len(data) > GREATEST_BYTES:
        raise LedgerFileError("unreadable", f"more than {GREATEST_BYTES} bytes when decompressed")
    return data


def _header(data: Data, encoding: str) -> list[str]:
    end = data.find(b"\n")
    line = data[: len(data) if end < 0 else end].removeprefix(_BOM).decode(encoding, "replace")
    fields, _ = _fields(line.strip())
    names = [name.strip() for name in fields]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise LedgerFileError("header", f"the header lacks {', '.join(missing)}")
    if any(names.count(name) > 1 for name in REQUIRED + OPTIONAL):
        raise LedgerFileError("header", "the header names a column twice")
    return names


def _rows(path: Path, data: Data, names: list[str], encoding: str) -> pl.DataFrame | None:
    """One row a line, numbers and amounts as integers or as text; None if that can only be had line by line."""
    source: Path | bytes = path if isinstance(data, mmap.mmap) else data
    if encoding != "utf-8":
        try:
            source = data[:].decode(encoding).encode()
        except UnicodeDecodeError:
            return None
    quoted, plain = _look_through(data, names)
    wanted = [name for name in REQUIRED + OPTIONAL if name in names]
    types = dict.fromkeys(wanted, pl.String()) | (_INTEGERS if plain else {})
    schema = {name if name in wanted else f"{place}:{name}": pl.String() for place, name in enumerate(names)} | types
    try:
        frame = pl.read_csv(
            source,
            schema=schema,
            columns=[names.index(name) for name in wanted],
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
    if quoted and len(frame) != _line_count(data) - 1:
        return None
    return frame


def _look_through(data: Data, names: list[str]) -> tuple[bool, bool]:
    """Whether there are quotes, and whether the file is so plain that its integers can be read as such.

    Reading integers is faster than reading text, but lets signs, blanks and leading zeros through. So a file is plain
    if it has no character that could be one of these, and no line that begins with a zero.
    """
    plain, last = names[0] == "clearing_no", b""
    for start in range(data.find(b"\n"), len(data), _SCAN_BYTES):
        piece = last + data[start : start + _SCAN_BYTES]
        if b'"' in piece:
            return True, False
        plain = (
            plain and not any(mark in piece for mark in (b"-", b"+", b" ", b"\t")) and not _has_line_with_zero(piece)
        )
        last = piece[-1:]
    return False, plain


def _has_line_with_zero(piece: bytes) -> bool:
    """Two bytes at a time, at even and at odd places: four times as fast as a search for two bytes."""
    even = np.frombuffer(piece, dtype="<u2", count=len(piece) // 2)
    odd = np.frombuffer(piece, dtype="<u2", count=(len(piece) - 1) // 2, offset=1)
    return bool((even == _LINE_WITH_ZERO).any() or (odd == _LINE_WITH_ZERO).any())


def _rows_one_by_one(data: Data, names: list[str], encoding: str) -> pl.DataFrame:
    """The same frame where some lines cannot be decoded or have stray quotes: those carry a `fault`."""
    wanted = [name for name in REQUIRED + OPTIONAL if name in names]
    columns: dict[str, list[str | None]] = {name: [] for name in [*wanted, "fault"]}
    lines = data[:].decode(encoding, "replace").split("\n")
    for line in lines[1 : len(lines) - (lines[-1] == "")]:
        fields, fault = _fields(line.removesuffix("\r"))
        row = dict(zip(names, fields, strict=False))
        for name in wanted:
            columns[name].append(row.get(name) or None)
        columns["fault"].append(fault)
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _fields(line: str) -> tuple[list[str], str | None]:
    if _LOST in line:
        return [], "encoding"
    try:
        return next(csv.reader([line], strict=True), []), None
    except csv.Error:
        return [], "columns"


def _line_count(data: Data) -> int:
    pieces = range(0, len(data), _SCAN_BYTES)
    ends = sum(data[start : start + _SCAN_BYTES].count(b"\n") for start in pieces)
    return ends + (data[len(data) - 1] != ord("\n"))


def _without_blank_lines(frame: pl.DataFrame, data: Data) -> pl.DataFrame:
    """A line without a single character is no row; one of commas alone is a bad row."""
    if not frame["clearing_no"].null_count():
        return frame
    empty = frame.select(pl.all_horizontal(pl.exclude("line").is_null())).to_series()
    if not empty.any():
        return frame
    with memoryview(data) as view:
        ends = np.flatnonzero(np.frombuffer(view, dtype=np.uint8) == ord("\n"))
    starts = [int(ends[line - _FIRST_ROW_LINE]) + 1 for line in frame["line"].filter(empty)]
    blank = [data[start : start + 2].startswith((b"\n", b"\r\n")) or start == len(data) for start in starts]
    lines = frame["line"].filter(empty).filter(pl.Series(blank, dtype=pl.Boolean))
    return frame.filter(~pl.col("line").is_in(lines.implode()))
