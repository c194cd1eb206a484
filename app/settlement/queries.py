from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.core import quota
from app.core.paging import PageQuery, page
from app.core.quota import Budget
from app.settlement import rules
from app.settlement.models import Ruling, Settlement
from app.settlement.states import IN_LINE, Part, RulingState, State


@dataclass(frozen=True)
class Place:
    place: int
    expected_at: datetime | None


def settlement(session: Session, settlement_id: UUID) -> Settlement | None:
    return session.get(Settlement, settlement_id)


def live_of_bill(session: Session, bill_id: UUID) -> Settlement | None:
    live = (Settlement.bill_id == bill_id, Settlement.status.not_in([State.FAILED, State.REVERSED]))
    return session.scalar(select(Settlement).where(*live))


def other_place(session: Session, interface_id: UUID, person_id: UUID) -> Settlement | None:
    """Where a person stands in the interface's line."""
    mine = (Settlement.interface_id == interface_id, Settlement.person_id == person_id)
    return session.scalar(select(Settlement).where(*mine, Settlement.status.in_(IN_LINE)))


def lines(session: Session) -> list[tuple[UUID, UUID]]:
    """(interface, hospital) of everybody who waits for a trial."""
    waiting = select(Settlement.interface_id, Settlement.hospital_id)
    waiting = waiting.where(Settlement.status == State.TRIAL_WAITING).distinct()
    found = session.execute(waiting.order_by(Settlement.interface_id, Settlement.hospital_id))
    return [(row.interface_id, row.hospital_id) for row in found]


def unfinished(
    session: Session, party_id: UUID | None, before: datetime, query: PageQuery
) -> tuple[Sequence[Settlement], UUID | None]:
    """Settlements that wait for the interface or for the hospital since `before`, of one hospital or of all."""
    interface_owes = (Settlement.status == State.SETTLING) & (Settlement.self_pay_part != Part.PENDING)
    reversal_owed = (Settlement.status == State.REVERSED) & ~Settlement.reversal_told
    wanted = select(Settlement).where(interface_owes | (Settlement.status == State.SETTLED) | reversal_owed)
    wanted = wanted.where(func.coalesce(Settlement.paid_at, Settlement.status_since) < before)
    if party_id is not None:
        wanted = wanted.where(Settlement.hospital_id == party_id)
    return page(session, wanted, Settlement.id, query)


def open_rulings(session: Session, settlement_ids: Collection[UUID]) -> dict[UUID, Ruling]:
    """What waits for a second person, by settlement."""
    waiting = (Ruling.settlement_id.in_(settlement_ids), Ruling.status == RulingState.PROPOSED)
    return {row.settlement_id: row for row in session.scalars(select(Ruling).where(*waiting))}


def place(session: Session, row: Settlement, budget: Budget) -> Place | None:
    """Where a waiting trial stands in its hospital's line at the interface, and when it can expect its turn with the
    hospital's share alone; None for one that is not waiting."""
    if row.status != State.TRIAL_WAITING:
        return None
    mine = (Settlement.interface_id == row.interface_id, Settlement.hospital_id == row.hospital_id)
    return _place(session, budget, row.hospital_id, *mine, Settlement.line_no < row.line_no)


def next_place(session: Session, interface_id: UUID, hospital_id: UUID, budget: Budget) -> Place:
    """The place of whoever comes into a hospital's line now."""
    mine = (Settlement.interface_id == interface_id, Settlement.hospital_id == hospital_id)
    return _place(session, budget, hospital_id, *mine)


def _place(session: Session, budget: Budget, hospital_id: UUID, *before: ColumnElement[bool]) -> Place:
    ahead = session.scalar(select(func.count()).where(*before, Settlement.status == State.TRIAL_WAITING)) or 0
    answer_s = rules.turn_answer_s(quota.answer_s(session, budget))
    return Place(ahead + 1, quota.expected_at(session, budget, ahead + 1, answer_s, str(hospital_id)))
