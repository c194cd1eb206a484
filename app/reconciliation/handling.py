"""People and differences: taking one on, and resolving it with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.core.errors import Conflict, NotFound
from app.core.work import Work
from app.reconciliation import rules
from app.reconciliation.models import Difference
from app.reconciliation.states import DifferenceState, differences

_UNASSIGNED = (DifferenceState.OPEN, DifferenceState.SUSPENDED)


def assign(work: Work, operator_id: UUID, difference_id: UUID) -> Difference:
    """The operator takes it on. LostRace if it is no longer open."""
    row = _locked(work, [difference_id])[0]
    differences.move(work, [row.id], "assign", values={"owner_id": operator_id})
    return row


def resolve(work: Work, operator_id: UUID, difference_ids: Sequence[UUID], reason: str) -> list[Difference]:
    """Close with a reason, all or none. A correction of money is only proposed: a second operator resolves it.

    Conflict `difference_ended`, `second_person_needed`; NotFound.
    """
    rows = _locked(work, difference_ids)
    for row in rows:
        if row.status in _UNASSIGNED:
            differences.move(work, [row.id], "assign", values={"owner_id": operator_id})
        _resolve(work, operator_id, row, reason)
    return rows


def decline(work: Work, operator_id: UUID, difference_id: UUID) -> Difference:
    """The second person does not agree: back to its owner."""
    row = _locked(work, [difference_id])[0]
    differences.move(work, [row.id], "decline", values={"proposed_by": None}, by=str(operator_id))
    return row


def _resolve(work: Work, operator_id: UUID, row: Difference, reason: str) -> None:
    if row.status == DifferenceState.ASSIGNED and rules.is_money(row.kind):
        differences.move(work, [row.id], "propose", values={"proposed_by": operator_id, "reason": reason})
    elif row.status == DifferenceState.ASSIGNED:
        differences.move(work, [row.id], "resolve", values={"resolved_by": operator_id, "reason": reason})
    elif row.status == DifferenceState.PROPOSED and row.proposed_by == operator_id:
        raise Conflict("second_person_needed", "涉及金额的处理需要另一位同事确认")
    elif row.status == DifferenceState.PROPOSED:
        differences.move(work, [row.id], "resolve", values={"resolved_by": operator_id})
    else:
        raise Conflict("difference_ended", "这条差异已经处理完毕，请刷新")


def _locked(work: Work, ids: Sequence[UUID]) -> list[Difference]:
    wanted = select(Difference).where(Difference.id.in_(ids)).order_by(Difference.id).with_for_update()
    rows = list(work.session.scalars(wanted))
    if len(rows) != len(set(ids)):
        raise NotFound
    return rows
