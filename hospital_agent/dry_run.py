"""`--dry-run`: what would be sent, as JSON lines; nothing is sent and nothing is remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TextIO

from hospital_agent.batch import Row
from hospital_agent.canonical import canonical
from hospital_agent.handlers.ledger import Ledger
from hospital_agent.mapping.model import Entity, Record
from hospital_agent.source.idle import IdleTime
from hospital_agent.source.records import Reading, Records, read_rows
from hospital_agent.store.spool import Spool

DAY_ROWS = 200
"""Of each entity by day, when no table is read whole."""


def show(idle: IdleTime, spool: Spool, timeout_ms: int, out: TextIO) -> tuple[int, int]:
    """Print every row that would be sent and every row that cannot be; answers both counts. Raises NotNow."""
    sendable = bad = 0
    with idle.reading(timeout_ms) as records:
        for entity in idle.source.mapping.pushed():
            for part in _parts(idle, records, entity):
                idle.ask()
                reading = Reading()
                read_rows(idle.source.mapping, entity, part, reading)
                changed = spool.changed(reading.rows)
                _print(changed, reading.bad, out)
                sendable, bad = sendable + len(changed), bad + len(reading.bad)
    return sendable, bad


def show_ledger(ledger: Ledger, day: date, out: TextIO) -> tuple[int, int]:
    """The same for the ledger of a business date, which is sent when the platform asks for it."""
    reading = ledger.read(day)
    _print(reading.rows, reading.bad, out)
    return len(reading.rows), len(reading.bad)


def _print(rows: Sequence[Row], bad: Sequence[tuple[str, str, str]], out: TextIO) -> None:
    for row in rows:
        print(canonical({"type": row.type, "key": row.key, "data": row.data}), file=out)
    for type_, key, reason in bad:
        print(canonical({"type": type_, "key": key, "bad": reason}), file=out)


def _parts(idle: IdleTime, records: Records, entity: Entity) -> Iterator[Sequence[Record]]:
    return records.changed_since(entity, None) if idle.is_night() else records.after_key(entity, None, DAY_ROWS)
