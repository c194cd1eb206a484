"""The outgoing spool: rows that changed become numbered batches, in one transaction with what is remembered of them."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from hospital_agent import clock
from hospital_agent.batch import Batch, Line, Parcel, Row, cut, line_of, lines_of
from hospital_agent.canonical import canonical, content_hash, sha256_hex
from hospital_agent.errors import AgentError
from hospital_agent.store.db import Store
from hospital_agent.store.lines import SentLines, remember

KEPT_BATCHES = 10_000
INCOMPLETE = "incomplete:"
"""Before a patient number: the mark of a patient of whom a pull could not read everything."""
WHOLE = "whole:"
"""Before a patient number: the business date on which the bulk lane read all of such a patient."""


class Contended(AgentError):
    """A row was spooled by another reader after this one began to read: read again, the newer state must win."""


class Spool:
    """Numbered batches and the last sent state of every row."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lines = SentLines(store)

    def position(self) -> int:
        """Take this before reading the source; see `Parcel`."""
        rows = self._store.all("SELECT value FROM counter WHERE name = 'seq'")
        return int(rows[0]["value"]) if rows else 0

    def put(self, parcel: Parcel) -> list[int]:
        """Spool what changed; the numbers of the new batches, none when nothing did. Raises Contended."""
        with self._store.transaction() as db:
            seq = _next(db, "seq")
            lines = _changed(db, parcel, seq)
            numbers = [_write(db, parcel, part) for part in cut(lines)]
            if parcel.whole and not numbers:
                numbers = [_write(db, parcel, [])]
            _set_marks(db, parcel.marks or {})
        return numbers

    def next_unsent(self) -> Batch | None:
        """The oldest batch that the exchange has not accepted: batches leave in the order of their numbers."""
        rows = self._store.all("SELECT * FROM batch WHERE state = 'spooled' ORDER BY batch_no LIMIT 1")
        if not rows:
            return None
        return Batch(**{name: rows[0][name] for name in Batch.__dataclass_fields__})

    def unsent(self) -> list[int]:
        return [r["batch_no"] for r in self._store.all("SELECT batch_no FROM batch WHERE state = 'spooled'")]

    def unjudged(self) -> list[int]:
        """Accepted batches whose verdicts are not known yet."""
        sql = "SELECT batch_no FROM batch WHERE state = 'accepted' ORDER BY batch_no"
        return [r["batch_no"] for r in self._store.all(sql)]

    def accepted(self, batch_no: int) -> None:
        """The exchange has it: its content leaves this machine."""
        self._store.run("UPDATE batch SET state = 'accepted', rows = NULL WHERE batch_no = ?", (batch_no,))

    def applied(self, batch_no: int) -> None:
        """Judged and done; of the long past only refused batches are remembered."""
        self._store.run("UPDATE batch SET state = 'applied' WHERE batch_no = ?", (batch_no,))
        self._store.run("DELETE FROM batch WHERE state = 'applied' AND batch_no < ?", (batch_no - KEPT_BATCHES,))

    def changed(self, rows: Sequence[Row]) -> list[Row]:
        """Those of `rows` that `put` would send."""
        with self._store.transaction() as db:
            known = _known(db, rows)
        last = {key: state["hash"] for key, state in known.items()}
        return [r for r in rows if last.get((r.type, r.key)) != content_hash(canonical(r.data))]

    def refused_batches(self) -> list[tuple[int, str]]:
        sql = "SELECT batch_no, reason FROM batch WHERE state = 'refused' ORDER BY batch_no"
        return [(r["batch_no"], r["reason"]) for r in self._store.all(sql)]

    def refused(self, batch_no: int, reason: str) -> None:
        self._store.run(
            "UPDATE batch SET state = 'refused', reason = ?, rows = NULL WHERE batch_no = ?", (reason, batch_no)
        )

    def renumber(self) -> None:
        """Move every unsent batch up by one number: the exchange knew the first (a store from an old copy)."""
        with self._store.transaction() as db:
            unsent = db.execute("SELECT batch_no FROM batch WHERE state = 'spooled' ORDER BY batch_no DESC").fetchall()
            for row in unsent:
                db.execute(
                    "UPDATE batch SET batch_no = batch_no + 1, webhook_id = ? WHERE batch_no = ?",
                    (str(uuid.uuid4()), row["batch_no"]),
                )
            _next(db, "batch_no")

    def split(self, batch: Batch, reason: str) -> None:
        """Halve a batch whose content the exchange does not take, until the row at fault is alone and reported.

        The number is used by the first half, or by an empty batch in the end: numbers stay dense.
        """
        lines = lines_of(batch.rows)
        half = len(lines) // 2
        with self._store.transaction() as db:
            _rewrite(db, batch.batch_no, lines[:half])
            if half:
                parcel = Parcel(batch.kind, batch.business_date, (), 0)
                _write(db, parcel, lines[half:])
        if len(lines) == 1:
            row = json.loads(lines[0].text)
            self.note_bad([(row["type"], row["key"], f"exchange: {reason}")])

    def mark(self, name: str) -> str | None:
        rows = self._store.all("SELECT value FROM mark WHERE name = ?", (name,))
        return rows[0]["value"] if rows else None

    def incomplete(self) -> list[str]:
        """Patient numbers of whom a pull has left rows in the source."""
        rows = self._store.all(
            "SELECT name FROM mark WHERE name >= ? AND name < ?", (INCOMPLETE, INCOMPLETE + "\U0010ffff")
        )
        return [r["name"].removeprefix(INCOMPLETE) for r in rows]

    def set_marks(self, marks: Mapping[str, str]) -> None:
        with self._store.transaction() as db:
            _set_marks(db, marks)

    def note_bad(self, bad: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
        """Remember rows (type, key, reason) that cannot be sent; answers those that are new."""
        with self._store.transaction() as db:
            sql = (
                "INSERT INTO bad_row VALUES (?, ?, ?) ON CONFLICT (type, key) DO UPDATE SET reason = excluded.reason"
                " WHERE reason <> excluded.reason"
            )
            return [row for row in bad if db.execute(sql, row).rowcount]

    def bad_rows(self) -> list[tuple[str, str, str]]:
        return [tuple(r) for r in self._store.all("SELECT type, key, reason FROM bad_row ORDER BY type, key")]

    def bad_count(self) -> int:
        return int(self._store.all("SELECT count(*) AS number FROM bad_row")[0]["number"])

    def forget(self, rows: Sequence[tuple[str, str]]) -> None:
        """Forget what was sent of these (type, key), so that the next reading sends them again."""
        with self._store.transaction() as db:
            db.executemany("UPDATE row_state SET hash = x'' WHERE type = ? AND key = ?", rows)


def _next(db: sqlite3.Connection, name: str) -> int:
    sql = "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
    return int(db.execute(sql, (name,)).fetchone()[0])


def _set_marks(db: sqlite3.Connection, marks: Mapping[str, str]) -> None:
    sql = "INSERT INTO mark VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    db.executemany(sql, marks.items())
    db.execute("DELETE FROM mark WHERE value = ''")


def _changed(db: sqlite3.Connection, parcel: Parcel, seq: int) -> list[Line]:
    known = _known(db, parcel.rows)
    lines, states, rows = [], [], []
    for row in parcel.rows:
        data = canonical(row.data)
        digest = content_hash(data)
        last = known.get((row.type, row.key))
        if last is not None and last["hash"] == digest:
            if parcel.whole:
                lines.append(line_of(row, data, last["version"]))
            continue
        if last is not None and parcel.behind_s and last["version"] > clock.epoch_s() - parcel.behind_s:
            continue
        if last is not None and last["seq"] > parcel.read_at:
            raise Contended(row.type)
        version = max(last["version"] + 1 if last is not None else 1, clock.epoch_s())
        lines.append(line_of(row, data, version))
        states.append((row.type, row.key, digest, version, seq))
        rows.append(row)
    sql = (
        "INSERT INTO row_state VALUES (?, ?, ?, ?, ?) ON CONFLICT (type, key)"
        " DO UPDATE SET hash = excluded.hash, version = excluded.version, seq = excluded.seq"
    )
    db.executemany(sql, states)
    remember(db, rows, [row for row in rows if (row.type, row.key) in known])
    _clear_bad(db, [(r.type, r.key) for r in parcel.rows], states)
    return lines


def _clear_bad(db: sqlite3.Connection, readable: Sequence[tuple[str, str]], states: Sequence[tuple[Any, ...]]) -> None:
    """A row that can be read again is not bad; one that the exchange refused is judged anew once it has changed."""
    db.executemany("DELETE FROM bad_row WHERE type = ? AND key = ? AND reason NOT LIKE 'exchange:%'", readable)
    db.executemany("DELETE FROM bad_row WHERE type = ? AND key = ?", [s[:2] for s in states])


def _known(db: sqlite3.Connection, rows: Sequence[Row]) -> dict[tuple[str, str], sqlite3.Row]:
    keys: dict[str, list[str]] = {}
    for row in rows:
        keys.setdefault(row.type, []).append(row.key)
    sql = "SELECT * FROM row_state WHERE type = ? AND key IN (SELECT value FROM json_each(?))"
    return {(r["type"], r["key"]): r for type_, ks in keys.items() for r in db.execute(sql, (type_, json.dumps(ks)))}


def _write(db: sqlite3.Connection, parcel: Parcel, lines: Sequence[Line]) -> int:
    batch_no = _next(db, "batch_no")
    db.execute(
        "INSERT INTO batch VALUES (?, '', ?, ?, 0, 0, '', NULL, 'spooled', NULL)",
        (batch_no, parcel.kind, parcel.business_date),
    )
    _rewrite(db, batch_no, lines)
    return batch_no


def _rewrite(db: sqlite3.Connection, batch_no: int, lines: Sequence[Line]) -> None:
    rows = f"[{','.join(line.text for line in lines)}]"
    amount_fen = sum(line.amount_fen for line in lines)
    db.execute(
        "UPDATE batch SET webhook_id = ?, count = ?, amount_fen = ?, sha256 = ?, rows = ? WHERE batch_no = ?",
        (str(uuid.uuid4()), len(lines), amount_fen, sha256_hex(rows), rows, batch_no),
    )
