"""The replay desk: tasks whose last try failed, kept with their cause until somebody has mended it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.orm import Session

from app.core import tasks
from app.core.tasks import Task
from app.core.work import Work

_AGAIN = {"status": "due", "tries": 0, "run_at": func.clock_timestamp()}


def dead(session: Session, limit: int, *, before: int | None = None, kind: str | None = None) -> Sequence[Task]:
    """Dead tasks, newest first; those before the id `before`, and of one kind."""
    wanted = select(Task).where(Task.status == "dead").order_by(Task.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Task.id < before)
    if kind is not None:
        wanted = wanted.where(Task.kind == kind)
    return session.scalars(wanted).all()


def count(session: Session) -> dict[str, int]:
    """How many of each kind."""
    found = select(Task.kind, func.count()).where(Task.status == "dead").group_by(Task.kind).order_by(Task.kind)
    return {row[0]: row[1] for row in session.execute(found)}


def replay(work: Work, task_id: int) -> bool:
    """Make one dead task due again; False if it is not dead. The audit trail names it with the row that it is about."""
    row = work.session.get(Task, task_id)
    if row is None or not tasks.replay(work.session, task_id):
        return False
    work.audit("task.replay", "task", row.subject or UUID(int=row.id), task=row.id, kind=row.kind)
    return True


def revive(session: Session, kind: str, subject: UUID) -> int:
    """Make the dead tasks of this kind about this row due again; how many there were."""
    again = update(Task).where(Task.kind == kind, Task.subject == subject, Task.status == "dead").values(_AGAIN)
    return cast(CursorResult[Any], session.execute(again)).rowcount


def stands(session: Session, kind: str, subject: UUID) -> bool:
    """Whether such a task is still to begin, or is dead. One that is to begin does so after this transaction at the
    earliest: it then sees what this transaction has written."""
    mine = (Task.kind == kind, Task.subject == subject)
    waiting = or_(Task.status == "dead", Task.lease.is_(None))
    found = select(Task.id).where(*mine, waiting).limit(1).with_for_update(skip_locked=True)
    return session.scalar(found) is not None
