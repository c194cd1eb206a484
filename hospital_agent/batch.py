"""Rows, and the numbered batches in which they cross the exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hospital_agent.canonical import canonical

MAX_ROWS = 2_000
MAX_BYTES = 6 * 1024 * 1024
AMOUNTS = {"bill": "total_fen", "ledger": "amount_fen"}
"""The field of a row that counts into the declared sum of its batch."""


@dataclass(frozen=True)
class Row:
    """One row of ours, read from the source. Its version is given when it is spooled."""

    type: str
    key: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """A numbered batch that waits to be sent. `rows` is its canonical JSON array."""

    batch_no: int
    webhook_id: str
    kind: str
    business_date: str
    count: int
    amount_fen: int
    sha256: str
    rows: str

    def body(self) -> str:
        head = {
            "batch_no": self.batch_no,
            "kind": self.kind,
            "business_date": self.business_date,
            "count": self.count,
            "amount_fen": self.amount_fen,
            "sha256": self.sha256,
        }
        return f'{canonical(head)[:-1]},"rows":{self.rows}}}'


@dataclass(frozen=True)
class Parcel:
    """Rows to be spooled together.

    `read_at` is `Spool.position()` from before the source was read. `whole` sends unchanged rows as well.
    `marks` are the high-water marks that hold once these rows are in the spool; an empty one is forgotten.
    `behind_s` is how far the reader may have been behind the source: what was sent more lately stays as it is.
    """

    kind: str
    business_date: str
    rows: Sequence[Row]
    read_at: int
    whole: bool = False
    marks: Mapping[str, str] | None = None
    behind_s: float = 0.0


@dataclass(frozen=True)
class Line:
    """A row in its canonical text, and its part in the batch's declared sum."""

    text: str
    amount_fen: int


def lines_of(rows: str) -> list[Line]:
    """The lines of a batch's canonical JSON array."""
    return [Line(canonical(row), _amount_fen(row["type"], row["data"])) for row in json.loads(rows)]


def line_of(row: Row, data: str, version: int) -> Line:
    text = f'{{"data":{data},"key":{canonical(row.key)},"type":{canonical(row.type)},"version":{version}}}'
    return Line(text, _amount_fen(row.type, row.data))


def _amount_fen(row_type: str, data: Mapping[str, Any]) -> int:
    return int(data[AMOUNTS[row_type]]) if row_type in AMOUNTS else 0


def cut(lines: list[Line]) -> list[list[Line]]:
    """Cut into batches of at most MAX_ROWS rows and MAX_BYTES bytes, in order."""
    parts: list[list[Line]] = []
    size = 0
    for line in lines:
        length = len(line.text.encode())
        if not parts or len(parts[-1]) == MAX_ROWS or size + length > MAX_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(line)
        size += length
    return parts
