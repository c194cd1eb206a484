from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import quota
from app.core.quota import Budget
from app.settlement.models import Settlement
from app.settlement.rules import ANSWER_S
from app.settlement.states import State


@dataclass(frozen=True)
class Place:
    place: int
    expected_at: datetime | None


def settlement(session: Session, settlement_id: UUID) -> Settlement | None:
    return session.get(Settlement, settlement_id)


def live_of_bill(session: Session, bill_id: UUID) -> Settlement | None:
    live = (Settlement.bill_id == bill_id, Settlement.status.not_in([State.FAILED, State.REVERSED]))
    return session.scalar(select(Settlement).where(*live))


def place(session: Session, row: Settlement, budget: Budget) -> Place | None:
    """Where a waiting trial stands in its interface's line; None for one that is not waiting."""
    if row.status != State.TRIAL_WAITING:
        return None
    before = (Settlement.interface_id == row.interface_id, Settlement.line_no < row.line_no)
    ahead = session.scalar(select(func.count()).where(*before, Settlement.status == State.TRIAL_WAITING)) or 0
    return Place(ahead + 1, quota.expected_at(session, budget, ahead + 1, ANSWER_S))
