"""The SQLite file: its tables, one connection behind a lock, and transactions that survive SIGKILL.

WAL with synchronous FULL: what a transaction has committed is on the disk before the next step is taken.
A second file beside it is held locked while an agent runs, so that two agents never share one store.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hospital_agent.errors import ConfigError

SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
    batch_no INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL, kind TEXT NOT NULL, business_date TEXT NOT NULL,
    count INTEGER NOT NULL, amount_fen INTEGER NOT NULL, sha256 TEXT NOT NULL, rows TEXT,
    state TEXT NOT NULL CHECK (state IN ('spooled', 'accepted', 'applied', 'refused')), reason TEXT);
CREATE INDEX IF NOT EXISTS batch_state ON batch (state, batch_no) WHERE state IN ('spooled', 'accepted');
CREATE TABLE IF NOT EXISTS row_state (
    type TEXT NOT NULL, key TEXT NOT NULL, hash BLOB NOT NULL, version INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (type, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent_line (
    key TEXT PRIMARY KEY, bill_key TEXT NOT NULL, line_no INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_line_bill ON sent_line (bill_key);
CREATE TABLE IF NOT EXISTS bad_row (
    type TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (type, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tie (
    account_ref TEXT NOT NULL, patient_no TEXT NOT NULL, PRIMARY KEY (account_ref, patient_no)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revoked_tie (
    account_ref TEXT NOT NULL, patient_no TEXT NOT NULL, revoked_at TEXT NOT NULL, ended_at TEXT,
    PRIMARY KEY (account_ref, patient_no)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outgoing (id TEXT PRIMARY KEY, type TEXT NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clearing (
    clearing_no TEXT PRIMARY KEY, kind TEXT NOT NULL, original_clearing_no TEXT, bill_key TEXT NOT NULL,
    business_date TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS clearing_date ON clearing (business_date);
CREATE TABLE IF NOT EXISTS inbox (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, lane TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answer (id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS begun (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memo (
    space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;
"""


class Store:
    """One open SQLite file. Every read and write goes through `transaction` or `all`, from any thread."""

    def __init__(self, path: Path, *, exclusive: bool = True) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._guard = _hold(path.with_name(path.name + ".lock")) if exclusive else None
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "foreign_keys=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable when the block has ended."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it
                    self._db.execute("ROLLBACK")
                raise

    def all(self, sql: str, parameters: Iterable[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, tuple(parameters)).fetchall()

    def run(self, sql: str, parameters: Iterable[Any] = ()) -> int:
        """One statement in its own transaction; answers how many rows it touched."""
        with self._lock:
            return self._db.execute(sql, tuple(parameters)).rowcount

    def close(self) -> None:
        with self._lock:
            self._db.close()
            if self._guard is not None:
                self._guard.close()


def _hold(path: Path) -> sqlite3.Connection:
    """Hold a lock that the operating system drops when this process dies, however it dies."""
    guard = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=0)
    try:
        guard.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        guard.close()
        raise ConfigError(f"another agent is running on the store {path.stem}") from error
    return guard
