"""Commands fetched and answers not yet delivered: both stand in the store before anything is done about them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from hospital_agent.errors import Temporary
from hospital_agent.store.db import Store

# The code of an answer that took the place of one that could not be sent on.
UNFIT = "answer_unfit"


@dataclass(frozen=True)
class Command:
    """A command as the exchange handed it out. `deadline_s` is by `clock.steady_s`, None without one."""

    id: str
    kind: str
    lane: str
    seq: int
    body: Mapping[str, Any]
    deadline_s: float | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one command: done, refused (final), failed (temporary) or unknown."""

    id: str
    outcome: str
    code: str | None = None
    message: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


class Inbox:
    """What was fetched and not answered, and what was answered and not delivered."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, commands: Iterable[Command]) -> list[Command]:
        """Keep the new ones; a command already in work or already answered is not taken again. How far each lane has
        come is kept with them."""
        sql = (
            "INSERT INTO inbox SELECT :id, :kind, :lane, :seq, :body"
            " WHERE NOT EXISTS (SELECT 1 FROM answer WHERE id = :id) ON CONFLICT (id) DO NOTHING"
        )
        come = (
            "INSERT INTO counter VALUES (:name, :seq) ON CONFLICT (name)"
            " DO UPDATE SET value = max(value, excluded.value)"
        )
        commands = list(commands)
        with self._store.transaction() as db:
            db.executemany(come, [{"name": _lane(one.lane), "seq": one.seq} for one in commands])
            return [
                command
                for command in commands
                if db.execute(sql, {**asdict(command), "body": json.dumps(command.body, ensure_ascii=False)}).rowcount
            ]

    def seen(self, lane: str) -> int:
        """The last sequence number of a lane that was kept, over all lives of this process; 0 at first."""
        rows = self._store.all("SELECT value FROM counter WHERE name = ?", (_lane(lane),))
        return int(rows[0]["value"]) if rows else 0

    def left_over(self) -> list[Command]:
        """Commands that an earlier life of this process fetched and never answered, in their order."""
        return [
            Command(r["id"], r["kind"], r["lane"], r["seq"], json.loads(r["body"]))
            for r in self._store.all("SELECT * FROM inbox ORDER BY lane, seq")
        ]

    def begin_once(self, command_id: str) -> bool:
        """True for the first caller ever, over all lives of this process: what must never be sent twice asks here."""
        return self._store.run("INSERT INTO begun VALUES (?) ON CONFLICT DO NOTHING", (command_id,)) == 1

    def answer(self, answer: Answer) -> None:
        """Raises Temporary while nothing can be written, such as on a full disk, and anything else for an answer whose
        content cannot be kept."""
        text = json.dumps(asdict(answer), ensure_ascii=False)
        with self._writing() as db:
            db.execute("DELETE FROM inbox WHERE id = ?", (answer.id,))
            db.execute("INSERT INTO answer VALUES (?, ?) ON CONFLICT (id) DO NOTHING", (answer.id, text))

    def answer_unfit(self, command_id: str) -> None:
        """Whatever became of the command, no answer can say it. What is never sent twice stays in doubt, everything
        else may be asked for again. Raises Temporary as `answer`."""
        sql = "INSERT INTO answer VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body"
        with self._writing() as db:
            begun = db.execute("SELECT 1 FROM begun WHERE id = ?", (command_id,)).fetchone()
            answer = Answer(command_id, "unknown" if begun else "failed", UNFIT)
            db.execute("DELETE FROM inbox WHERE id = ?", (command_id,))
            db.execute(sql, (command_id, json.dumps(asdict(answer))))

    def undelivered(self, limit: int = 100) -> list[dict[str, Any]]:
        rows = self._store.all("SELECT body FROM answer ORDER BY rowid LIMIT ?", (limit,))
        return [json.loads(r["body"]) for r in rows]

    def delivered(self, ids: Sequence[str]) -> None:
        with self._store.transaction() as db:
            db.executemany("DELETE FROM answer WHERE id = ?", [(i,) for i in ids])

    def is_empty(self) -> bool:
        return not self._store.all("SELECT 1 FROM inbox UNION ALL SELECT 1 FROM answer LIMIT 1")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._store.transaction() as db:
                yield db
        except sqlite3.Error as error:
            raise Temporary("store_fails") from error


def _lane(lane: str) -> str:
    return f"lane:{lane}"
