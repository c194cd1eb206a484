"""A night's comparison shared out over workers: parts, each compared once, and the last one ends the run.

Each function works inside one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, select

from app.core.work import Work
from app.reconciliation import arriving, queries
from app.reconciliation.comparison import Attendance
from app.reconciliation.engine import parts as engine
from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.models import Part, Run
from app.reconciliation.states import RunState

COMPARE_PART, FINISH = "reconciliation.compare_part", "reconciliation.finish"


def share_out(work: Work, run_id: UUID, attendance: Attendance, own: Ledger, shares: Iterable[engine.Part]) -> None:
    """Keep the platform's own book and the parts, and let workers compare each; again, it changes nothing."""
    run = _locked(work, run_id)
    if run.status != RunState.COMPARING or run.attendance is not None:
        return
    run.attendance = attendance.as_json()
    arriving.keep_own(work, run, own)
    has_parts = False
    for share in shares:
        row = Part(run_id=run.id, name=share.name, row_count=share.row_count, packed=share.dump())
        work.add(row)
        work.session.flush()
        work.later(COMPARE_PART, row.id)
        has_parts = True
    if not has_parts:
        work.later(FINISH, run.id)


def part_compared(work: Work, part: Part, outcome: bytes) -> None:
    """Keep what was found; whoever is last lets the run end."""
    run = _locked(work, part.run_id)
    row = work.session.get(Part, part.id, with_for_update=True)
    if row is None or row.compared_at is not None:
        return
    row.outcome, row.compared_at = outcome, work.now
    work.session.flush()
    if queries.parts_left(work.session, run.id) == 0:
        work.later(FINISH, run.id)


def forget_parts(work: Work, run_id: UUID) -> None:
    work.session.execute(delete(Part).where(Part.run_id == run_id))


def _locked(work: Work, run_id: UUID) -> Run:
    return work.session.scalars(select(Run).where(Run.id == run_id).with_for_update()).one()
