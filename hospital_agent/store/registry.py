"""What the agent keeps beside the source's own books: ties to accounts, clearing numbers, and notes of a handler."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hospital_agent import clock
from hospital_agent.store.db import Store

_IS_REVOKED = "SELECT 1 FROM revoked_tie WHERE account_ref = ? AND patient_no = ? AND ended_at IS NULL"
_TIE = "INSERT INTO tie VALUES (?, ?) ON CONFLICT DO NOTHING"
_UNTIE = "DELETE FROM tie WHERE account_ref = ? AND patient_no = ?"
_END = "UPDATE revoked_tie SET ended_at = ? WHERE account_ref = ? AND patient_no = ? AND ended_at IS NULL"
_BURY = (
    "INSERT INTO revoked_tie VALUES (?, ?, ?, NULL) ON CONFLICT (account_ref, patient_no)"
    " DO UPDATE SET revoked_at = excluded.revoked_at, ended_at = NULL"
)


@dataclass(frozen=True)
class Message:
    """`id` is its id on the wire, the same on every try."""

    id: str
    type: str
    data: Mapping[str, Any]


class Messages:
    """What the platform is to be told, from the transaction that it is about until the exchange has it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @staticmethod
    def put(db: sqlite3.Connection, kind: str, data: Mapping[str, Any]) -> None:
        """Inside the caller's transaction."""
        db.execute("INSERT INTO outgoing VALUES (?, ?, ?)", (str(uuid.uuid4()), kind, json.dumps(data)))

    def unsent(self) -> list[Message]:
        rows = self._store.all("SELECT id, type, data FROM outgoing ORDER BY id")
        return [Message(row["id"], row["type"], json.loads(row["data"])) for row in rows]

    def sent(self, message_id: str) -> None:
        self._store.run("DELETE FROM outgoing WHERE id = ?", (message_id,))


@dataclass(frozen=True)
class Tombstone:
    """A tie that people of the hospital have revoked. Times are ISO 8601 in UTC; `ended_at` is when the platform said
    that it has ended its binding, None before."""

    account_ref: str
    patient_no: str
    revoked_at: str
    ended_at: str | None


class Ties:
    """Which pseudonymous account is tied to which patient number, kept at the hospital.

    What people of the hospital have revoked is told to the platform at once and stays as a tombstone. Until the
    platform has ended its binding, which it says by `untie`, nothing ties the two again; a tie that comes later rests
    on a new check by the hospital.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def tie(self, account_ref: str, patient_no: str) -> bool:
        """False if the hospital has revoked this tie and the platform has not ended it yet."""
        return self.tie_all([(account_ref, patient_no)]) == 1

    def tie_all(self, pairs: Sequence[tuple[str, str]]) -> int:
        """How many of them are tied now: all but those that `tie` would refuse."""
        with self._store.transaction() as db:
            free = [pair for pair in pairs if not db.execute(_IS_REVOKED, pair).fetchone()]
            db.executemany(_TIE, free)
        return len(free)

    def untie(self, account_ref: str, patient_no: str) -> None:
        """The platform has ended it."""
        with self._store.transaction() as db:
            db.execute(_UNTIE, (account_ref, patient_no))
            db.execute(_END, (_now(), account_ref, patient_no))

    def revoke(self, account_ref: str, patient_no: str) -> bool:
        """The hospital ends it; False if there is no such tie."""
        with self._store.transaction() as db:
            if not db.execute(_UNTIE, (account_ref, patient_no)).rowcount:
                return False
            db.execute(_BURY, (account_ref, patient_no, _now()))
            Messages.put(db, "tie.revoked", {"account_ref": account_ref, "patient_no": patient_no})
        return True

    def list(self) -> list[dict[str, str]]:
        return [dict(r) for r in self._store.all("SELECT account_ref, patient_no FROM tie ORDER BY 1, 2")]

    def revoked(self) -> Sequence[dict[str, str]]:
        """Tombstones that the platform has not acted on yet."""
        return [
            {"account_ref": one.account_ref, "patient_no": one.patient_no, "revoked_at": one.revoked_at}
            for one in self.tombstones()
            if one.ended_at is None
        ]

    def tombstones(self) -> Sequence[Tombstone]:
        """All of them, by account and patient."""
        return [Tombstone(**dict(r)) for r in self._store.all("SELECT * FROM revoked_tie ORDER BY 1, 2")]


@dataclass(frozen=True)
class Clearing:
    """A clearing number and the bill of the source that it stands for. `kind` is pay or reverse."""

    clearing_no: str
    kind: str
    original_clearing_no: str | None
    bill_key: str
    business_date: str


class Clearings:
    """Clearing numbers by business date; they are never written into the hospital's own system."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, clearing: Clearing) -> None:
        self._store.run(
            "INSERT INTO clearing VALUES (?, ?, ?, ?, ?) ON CONFLICT (clearing_no) DO UPDATE SET"
            " bill_key = excluded.bill_key, business_date = excluded.business_date",
            (
                clearing.clearing_no,
                clearing.kind,
                clearing.original_clearing_no,
                clearing.bill_key,
                clearing.business_date,
            ),
        )

    def on(self, business_date: str) -> list[Clearing]:
        sql = "SELECT * FROM clearing WHERE business_date = ? ORDER BY clearing_no"
        return [Clearing(**dict(r)) for r in self._store.all(sql, (business_date,))]


class Memo:
    """JSON notes of one handler under a key, such as the interface's visit number of a trial."""

    def __init__(self, store: Store, space: str) -> None:
        self._store, self._space = store, space

    def get(self, key: str) -> dict[str, Any] | None:
        rows = self._store.all("SELECT value FROM memo WHERE space = ? AND key = ?", (self._space, key))
        return json.loads(rows[0]["value"]) if rows else None

    def put(self, key: str, value: dict[str, Any]) -> None:
        self._store.run(
            "INSERT INTO memo VALUES (?, ?, ?) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
            (self._space, key, json.dumps(value, ensure_ascii=False)),
        )


def _now() -> str:
    return clock.now().isoformat(timespec="seconds")
