"""A party's ledger as a file: CSV with a header, or JSON lines; a trailer if there is one; plain or gzip.

One line is one row: a quoted field does not span lines. Lines that cannot be read become bad rows with their line
number and never stop the rest. What is wrong with the file as a whole raises LedgerFileError.
"""

from __future__ import annotations

import gzip
import io
import mmap
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.reconciliation.engine.csv_rows import Data, read_rows, split_fields, without_blank_lines
from app.reconciliation.engine.json_rows import read_json_rows
from app.reconciliation.engine.ledger import OPTIONAL, REQUIRED, Ledger
from app.reconciliation.engine.trailer import find_trailer

GREATEST_BYTES = 4 * 1024**3
ENCODINGS = ("utf-8", "gb18030")
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


class LedgerFileError(Exception):
    """The file cannot stand for the party's book. `code`: unreadable, header, no_trailer, or
    declared (the trailer disagrees)."""

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
    """A ledger from a file, whatever its size: what is not compressed is mapped, not loaded."""
    try:
        with path.open("rb") as file:
            if file.read(2) == _GZIP_MAGIC:
                return read_ledger(path.read_bytes(), encoding=encoding)
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise LedgerFileError("unreadable", "the file is missing or empty, or is a pipe") from error
    return _read(path, data, encoding)


def read_ledger(content: bytes, *, encoding: str = "utf-8", trailer_needed: bool = False) -> Ledger:
    """A ledger from the bytes of such a file, gzip or not, as a partner's answer brings them.

    LedgerFileError `no_trailer` if it needs one and has none: the rest of the file may be missing.
    """
    data = _unpack(content) if content.startswith(_GZIP_MAGIC) else content
    if trailer_needed and find_trailer(data) is None:
        raise LedgerFileError("no_trailer", "the file has no trailer")
    return _read(None, data, encoding)


def _unpack(content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as packed:
            data = packed.read(GREATEST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise LedgerFileError("unreadable", "the file is damaged") from error
    if len(data) > GREATEST_BYTES:
        raise LedgerFileError("unreadable", f"more than {GREATEST_BYTES} bytes when decompressed")
    return data


def _read(path: Path | None, data: Data, encoding: str) -> Ledger:
    """Read the columns REQUIRED and OPTIONAL by name, judge every row, hold the whole against the trailer."""
    trailer = find_trailer(data)
    if data[: len(_BOM) + 1].removeprefix(_BOM).startswith(b"{"):
        end = trailer.start if trailer else len(data)
        frame = read_json_rows(data[:end].removeprefix(_BOM), encoding)
    else:
        frame = read_rows(path, data, _header(data, encoding), encoding)
        frame = without_blank_lines(frame.head(len(frame) - trailer.tail_lines) if trailer else frame, data)
    ledger = Ledger.from_frame(frame)
    faults = trailer.faults(data, ledger.declared, ledger.readable_fen) if trailer else []
    if faults:
        raise LedgerFileError("declared", f"the trailer does not match the content: {', '.join(faults)}")
    return ledger


def _header(data: Data, encoding: str) -> list[str]:
    end = data.find(b"\n")
    line = data[: len(data) if end < 0 else end].removeprefix(_BOM).decode(encoding, "replace")
    fields, _ = split_fields(line.strip())
    names = [name.strip() for name in fields]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise LedgerFileError(
            "header",
            f"the header lacks {', '.join(missing)}: the first line must name {', '.join(REQUIRED)},"
            " in small letters and separated by commas",
        )
    if any(names.count(name) > 1 for name in REQUIRED + OPTIONAL):
        raise LedgerFileError("header", "the header names a column twice")
    return names
