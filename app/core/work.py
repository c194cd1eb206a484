"""One use case, one transaction. The only `commit()` of the product stands here.

`Work` collects what must be true together: rows, new tasks, events, audit entries, finished tasks. After the commit the
bell is rung for the kinds of work that became due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core import tasks
from app.core.clock import Clock
from app.core.db import Database
from app.core.errors import CommitUnknown
from app.core.privacy import Privacy
from app.core.settings import Settings
from app.core.signing import SigningKeys
from app.core.tokens import Tokens


@dataclass(frozen=True)
class Actor:
    """Who does it: account, operator, partner or system, and the id of that login or program."""

    kind: str
    id: str
    request_id: str = ""


SYSTEM = Actor("system", "worker")


@dataclass(frozen=True)
class AuditFact:
    """What happened to each of these rows, or which of them were read as sensitive data (then both states are None):
    one entry for each."""

    action: str
    subject_type: str
    subject_ids: Sequence[UUID]
    from_status: str | None = None
    to_status: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


AuditWriter = Callable[[Session, Actor, Sequence[AuditFact]], None]


class Work:
    """One transaction in progress. Services take it as their first argument and never commit."""

    def __init__(self, session: Session, actor: Actor, runtime: Runtime) -> None:
        self.session, self.actor, self.runtime = session, actor, runtime
        self.clock, self.privacy, self.signing = runtime.clock, runtime.privacy, runtime.signing
        self.now = runtime.clock.now()
        self._tasks: list[tasks.NewTask] = []
        self._facts: list[AuditFact] = []
        self._last: list[Callable[[], None]] = []

    def add(self, *rows: Any) -> None:
        self.session.add_all(rows)

    def later(
        self, kind: str, subject: UUID | None, *, run_at: datetime | None = None, args: dict[str, Any] | None = None
    ) -> None:
        """Write down a task; `args` holds ids and plain numbers only, never personal data."""
        self._tasks.append(tasks.NewTask(kind, subject, args or {}, run_at))

    def emit(self, event: str, subject: UUID, /, **args: Any) -> None:
        """Tell the floors above: one task for each listener of `event` in workers/routes.py."""
        for kind in self.runtime.routes[event]:
            self.later(kind, subject, args=args)

    def audit(self, action: str, subject_type: str, subject_id: UUID, /, **detail: Any) -> None:
        self._facts.append(AuditFact(action, subject_type, (subject_id,), detail=detail))

    def audit_fact(self, fact: AuditFact) -> None:
        self._facts.append(fact)

    def at_last(self, do: Callable[[], None]) -> None:
        """Do this when all else is written, just before the commit: for a row that many wait for. It writes by
        statements of its own, notes nothing, and raises what undoes the whole."""
        self._last.append(do)

    def reveal(self, row: Any, column: str, why: str) -> str:
        """Decrypt one field of a row and note who read it and why. `column` is the sealed column's name."""
        table = row.__tablename__
        self.audit(f"read.{table}.{column}", table, row.id, why=why)
        return self.privacy.open(getattr(row, column), f"{table}:{column}:{row.id}")

    def seal(self, row: Any, column: str, value: str) -> None:
        """Encrypt `value` into `row.column`."""
        setattr(row, column, self.privacy.seal(value, f"{row.__tablename__}:{column}:{row.id}"))

    def write(self) -> set[str]:
        """Flush everything that was collected; the kinds of the tasks that are due now."""
        self.session.flush()
        if self._facts:
            self.runtime.write_audit(self.session, self.actor, self._facts)
        if self._tasks:
            tasks.add(self.session, self._tasks)
        for do in self._last:
            do()
        return {task.kind for task in self._tasks if task.run_at is None or task.run_at <= self.now}


@dataclass
class Runtime:
    """What a process has at hand. Made once by app.wiring; no connection is opened before it is needed."""

    settings: Settings
    clock: Clock
    privacy: Privacy
    signing: SigningKeys
    tokens: Tokens
    database: Database
    write_audit: AuditWriter
    routes: Mapping[str, Sequence[str]]
    ring: Callable[[set[str]], None]

    @contextmanager
    def work(self, actor: Actor = SYSTEM, *, finish: Sequence[tasks.Job] = ()) -> Iterator[Work]:
        """A transaction that commits when the block ends without an error. `finish` deletes these tasks with it.

        Raises Fenced when one of them was taken over, CommitUnknown when the database did not answer the commit.
        """
        with self.database.session() as session:
            work = Work(session, actor, self)
            yield work
            due = work.write()
            if finish:
                tasks.finish(session, finish)
            _commit(session)
        for job in finish:
            job.finished = True
        if due:
            self.ring(due)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only session; each statement sees what is committed."""
        with self.database.read() as session:
            yield session


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise CommitUnknown from error
        raise
