"""What the agent keeps beside the source's own books: ties to accounts, clearing numbers, and notes of a handler."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hospital_agent.store.db import Store


class Ties:
    """Which pseudonymous account is tied to which patient number, kept at the hospital."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tie(self, account_ref: str, patient_no: str) -> None:
        self._store.run("INSERT INTO tie VALUES (?, ?) ON CONFLICT DO NOTHING", (account_ref, patient_no))

    def untie(self, account_ref: str, patient_no: str) -> None:
        self._store.run("DELETE FROM tie WHERE account_ref = ? AND patient_no = ?", (account_ref, patient_no))

    def list(self) -> list[dict[str, str]]:
        return [dict(r) for r in self._store.all("SELECT account_ref, patient_no FROM tie ORDER BY 1, 2")]


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
