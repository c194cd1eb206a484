"""Durable work: PostgreSQL is the record. A task is written with the data that needs it and deleted with its effect.

A task in work carries its worker's lease: a session advisory lock on a connection of its own, which PostgreSQL frees
when that worker dies. Nobody waits for a clock. `fence` grows with every taking, so that a frozen worker's late finish
deletes nothing and is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import psycopg
from sqlalchemy import (
    BigInteger,
    CursorResult,
    Identity,
    Index,
    Integer,
    Table,
    bindparam,
    column,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.columns import add_rows
from app.core.db import Base
from app.core.errors import Fenced

LEASE_CLASS = 0x5A50  # "ZP": the first half of the advisory lock's key
MAX_TRIES = 12
_LIVE_LEASES = (
    text(
        "SELECT objid::bigint AS lease FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
        " AND classid = :lease_class AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    .bindparams(lease_class=LEASE_CLASS)
    .columns(column("lease", BigInteger))
)


class Task(Base):
    """One intention. `status` is due until the row is deleted, or dead when the last try failed."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_due", "kind", "run_at", "id", postgresql_where=text("status = 'due'")),
        Index("ix_task_subject", "subject"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    subject: Mapped[UUID | None]
    args: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[str] = mapped_column(default="due", server_default="due")
    run_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    lease: Mapped[int | None]
    fence: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None]


# Without the unit of work, and built once: a worker runs these statements for every task it does.
_TASK = cast(Table, Task.__table__)
# A subquery in its place could be run again for each task, and its limit with it; a materialised one runs once.
_DUE = (
    select(_TASK.c.id)
    .where(
        _TASK.c.status == "due",
        _TASK.c.kind == bindparam("of_kind"),
        _TASK.c.run_at <= func.clock_timestamp(),
        _TASK.c.lease.is_(None) | _TASK.c.lease.not_in(select(_LIVE_LEASES.subquery().c.lease)),
    )
    .order_by(_TASK.c.run_at, _TASK.c.id)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED")
)
_TAKE = (
    update(_TASK)
    .where(_TASK.c.id.in_(select(_DUE.c.id)))
    .values(lease=bindparam("taker", type_=Integer), fence=_TASK.c.fence + 1, tries=_TASK.c.tries + 1)
    .returning(_TASK.c.id, _TASK.c.kind, _TASK.c.subject, _TASK.c.args, _TASK.c.tries, _TASK.c.fence)
)
_FINISH = text("""
    DELETE FROM task USING unnest(CAST(:ids AS bigint[]), CAST(:fences AS int[])) AS done(id, fence)
    WHERE task.id = done.id AND task.fence = done.fence
""")
_FINISH_LEFT = text(f"{_FINISH.text} AND task.status = 'due' AND task.lease IS NOT NULL")
_DUE_KINDS = (
    select(_TASK.c.kind)
    .where(_TASK.c.status == "due", _TASK.c.run_at <= func.clock_timestamp())
    .where(_TASK.c.lease.is_(None) | _TASK.c.lease.not_in(select(_LIVE_LEASES.subquery().c.lease)))
    .distinct()
)
_SOONEST = select(func.min(_TASK.c.run_at) - func.clock_timestamp()).where(
    _TASK.c.status == "due", _TASK.c.run_at > func.clock_timestamp()
)


@dataclass
class Job:
    """A task in this worker's hands. `finished` once it was deleted with its effect."""

    id: int
    kind: str
    subject: UUID
    args: dict[str, Any]
    tries: int
    fence: int
    finished: bool = field(default=False, compare=False)


@dataclass
class NewTask:
    kind: str
    subject: UUID | None
    args: dict[str, Any] = field(default_factory=dict)
    run_at: datetime | None = None


class Lease:
    """The sign of life of one worker process: a lock that ends with its connection. Open it after any fork."""

    def __init__(self, database_url: str) -> None:
        self.key = secrets.randbelow(2**31)
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://")
        self._connection: psycopg.Connection[Any] | None = None

    def hold(self) -> int:
        """The lease's key, with the lock certainly held; a lost connection is opened again under a new key."""
        if self._connection is not None:
            try:
                self._connection.execute("SELECT 1")
                return self.key
            except psycopg.OperationalError:
                self.key = secrets.randbelow(2**31)
        self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        self._connection.execute("SELECT pg_advisory_lock(%s, %s)", (LEASE_CLASS, self.key))
        return self.key

    def drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def add(session: Session, tasks: Sequence[NewTask]) -> None:
    """Insert tasks in the caller's transaction; without `run_at` they are due at once."""
    for at_once in (True, False):
        rows = [
            {"kind": t.kind, "subject": t.subject, "args": t.args} | ({} if at_once else {"run_at": t.run_at})
            for t in tasks
            if (t.run_at is None) == at_once
        ]
        add_rows(session, _TASK, rows)


def take(session: Session, kind: str, lease: int, limit: int) -> list[Job]:
    """Up to `limit` due tasks of `kind`, oldest first, leased to the caller. Dead workers' tasks are due again."""
    taken = session.execute(_TAKE, {"of_kind": kind, "taker": lease, "at_most": limit})
    return sorted((Job(*row) for row in taken), key=lambda job: job.id)


def finish(session: Session, jobs: Sequence[Job]) -> None:
    """Delete finished tasks with their effect. Fenced if another worker has taken one over meanwhile."""
    done = _count(session.execute(_FINISH, _named(jobs)))
    if done != len(jobs):
        raise Fenced(f"{jobs[0].kind}: {len(jobs) - done} tasks were taken over")


def finish_left(session: Session, jobs: Sequence[Job]) -> None:
    """Delete those of `jobs` that their handler did not finish itself and that are still ours."""
    session.execute(_FINISH_LEFT, _named(jobs))


def _named(jobs: Sequence[Job]) -> dict[str, list[int]]:
    return {"ids": [job.id for job in jobs], "fences": [job.fence for job in jobs]}


def postpone(session: Session, job: Job, cause: str | None, *, run_at: datetime | None, bury: bool = False) -> None:
    """Give a task back: due at `run_at`, or dead (kept with its cause for the replay desk). Without a cause the try
    does not count."""
    values: dict[str, Any] = {"lease": None, "last_error": cause and cause[:500]}
    values |= {"status": "dead"} if bury else {"run_at": run_at}
    if cause is None:
        values["tries"] = Task.tries - 1
    session.execute(update(Task).where(Task.id == job.id, Task.fence == job.fence).values(**values))


def backoff_s(tries: int) -> float:
    """1, 2, 4 … at most 300 seconds, with up to half as much again of jitter."""
    base = min(2.0 ** (tries - 1), 300.0)
    return base * (1 + secrets.randbelow(500) / 1000)


def due_kinds(session: Session) -> list[str]:
    """Kinds that have something to do now: what the sweeper rings for."""
    return list(session.scalars(_DUE_KINDS))


def replay(session: Session, task_id: int) -> bool:
    """Make a dead task due again; False if it is not dead."""
    again = update(Task).where(Task.id == task_id, Task.status == "dead")
    return _count(session.execute(again.values(status="due", tries=0, run_at=func.clock_timestamp()))) == 1


def soonest_due_s(session: Session) -> float | None:
    """How long until the next task that is not due yet becomes due."""
    wait = session.scalar(_SOONEST)
    return wait.total_seconds() if isinstance(wait, timedelta) else None


def subjects_due(session: Session, kind: str, within: timedelta) -> set[UUID | None]:
    """What tasks of `kind` that are due, or will be within so long, are about."""
    due = (Task.kind == kind, Task.status == "due", Task.run_at <= func.clock_timestamp() + within)
    return set(session.scalars(select(Task.subject).where(*due).distinct()))


def next_due_in(session: Session, kind: str) -> timedelta | None:
    """How long until the first task of `kind` is due; None without one. For tests and the day's driver."""
    wait = session.scalar(
        select(func.min(Task.run_at) - func.clock_timestamp()).where(Task.kind == kind, Task.status == "due")
    )
    return wait if isinstance(wait, timedelta) else None


def _count(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
