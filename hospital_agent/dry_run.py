"""`--dry-run`: what would be sent, as JSON lines; nothing is sent and nothing is remembered."""

from __future__ import annotations

from typing import TextIO

from hospital_agent.canonical import canonical
from hospital_agent.source.bulk import SourceLink
from hospital_agent.source.engine import snapshot
from hospital_agent.source.records import Reading, Records, read_rows
from hospital_agent.store.spool import Spool


def show(source: SourceLink, spool: Spool, timeout_ms: int, out: TextIO) -> tuple[int, int]:
    """Print every row that would be sent and every row that cannot be; answers both counts."""
    sendable = bad = 0
    with snapshot(source.engine, timeout_ms) as connection:
        records = Records(connection, source.mapping, source.parameters())
        for entity in source.mapping.pushed():
            for part in records.changed_since(entity, None):
                reading = Reading()
                read_rows(source.mapping, entity, part, reading)
                changed = spool.changed(reading.rows)
                for row in changed:
                    print(canonical({"type": row.type, "key": row.key, "data": row.data}), file=out)
                for type_, key, reason in reading.bad:
                    print(canonical({"type": type_, "key": key, "bad": reason}), file=out)
                sendable, bad = sendable + len(changed), bad + len(reading.bad)
    return sendable, bad
