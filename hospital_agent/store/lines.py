"""Which fee lines of a bill were sent, by their keys and numbers: what the source deletes later is told by no row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from hospital_agent.batch import Row
from hospital_agent.store.db import Store

CHANGED = "changed:"
"""Before a bill's key: the mark of a bill that was sent again and whose lines have not been looked at since."""


@dataclass(frozen=True)
class SentLine:
    key: str
    bill_key: str
    line_no: int


class SentLines:
    """Written by the spool, in the transaction that spools the lines."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def changed_bills(self) -> list[str]:
        names = self._store.all("SELECT name FROM mark WHERE name >= ? AND name < ?", (CHANGED, CHANGED + "\U0010ffff"))
        return [row["name"].removeprefix(CHANGED) for row in names]

    def of_bills(self, bill_keys: Sequence[str]) -> list[SentLine]:
        sql = "SELECT * FROM sent_line WHERE bill_key IN (SELECT value FROM json_each(?)) ORDER BY key"
        return [SentLine(**dict(row)) for row in self._store.all(sql, (json.dumps(bill_keys),))]


def remember(db: sqlite3.Connection, spooled: Sequence[Row], again: Sequence[Row]) -> None:
    """`again` are those of the `spooled` rows that were sent before. A line that carries nothing is forgotten."""
    lines = [(row.key, row.data["bill_key"], row.data["line_no"]) for row in spooled if row.type == "fee_line"]
    gone = [(row.key,) for row in spooled if row.type == "fee_line" and is_zero(row)]
    sql = (
        "INSERT INTO sent_line VALUES (?, ?, ?) ON CONFLICT (key)"
        " DO UPDATE SET bill_key = excluded.bill_key, line_no = excluded.line_no"
    )
    db.executemany(sql, lines)
    db.executemany("DELETE FROM sent_line WHERE key = ?", gone)
    changed = [(CHANGED + row.key,) for row in again if row.type == "bill"]
    db.executemany("INSERT INTO mark VALUES (?, '1') ON CONFLICT (name) DO NOTHING", changed)


def zero(line: SentLine, bill: Row) -> Row:
    """The row that takes a line back: it carries nothing."""
    named = dict.fromkeys(("code", "code_system", "code_edition", "name"), "deleted")
    data = named | {
        "bill_key": line.bill_key,
        "line_no": line.line_no,
        "category": "service",
        "insurance_code": None,
        "insurance_class": None,
        "unit_price": "0.000000",
        "quantity": "0.0000",
        "amount_fen": 0,
        "at": f"{bill.data['billed_on']}T00:00:00Z",
    }
    return Row("fee_line", line.key, data)


def is_zero(row: Row) -> bool:
    return row.data["amount_fen"] == 0 and not float(row.data["quantity"])
