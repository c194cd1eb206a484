from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.core import quota
from app.core.paging import PageQuery, page
from app.core.quota import Budget
from app.settlement import rules
from app.settlement.models import Ruling, Settlement
from app.settlement.states import IN_LINE, Part, RulingState, State


class InLine(NamedTuple):
    """Whoever waits or is being tried; `tries` is above 0 for whom the interface has failed before."""

    id: UUID
    status: str
    promised_at: datetime | None
    told_later: int
    tries: int


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


def place(session: Session, row: Settlement) -> int | None:
    """Where (from 1) a waiting trial stands in its hospital's line at the interface; None for one that is not waiting.
    Whoever is being tried counts until the answer is there: without one they wait again, and before all others."""
    if row.status != State.TRIAL_WAITING:
        return None
    ahead = select(func.count()).where(*_line(row.interface_id, row.hospital_id), Settlement.line_no < row.line_no)
    return 1 + (session.scalar(ahead) or 0)


def in_line(session: Session, interface_id: UUID, hospital_id: UUID) -> Sequence[InLine]:
    """A hospital's line at the interface, in order."""
    columns = (getattr(Settlement, name) for name in InLine._fields)
    rows = session.execute(select(*columns).where(*_line(interface_id, hospital_id)).order_by(Settlement.line_no))
    return [InLine(*row) for row in rows]


def turn(session: Session, row: Settlement, budget: Budget) -> datetime | None:
    """When a waiting trial can expect its turn with the hospital's share alone."""
    mine = _line(row.interface_id, row.hospital_id)
    return _turn(session, budget, row.hospital_id, *mine, Settlement.line_no < row.line_no)


def next_turn(session: Session, interface_id: UUID, hospital_id: UUID, budget: Budget) -> datetime | None:
    """`turn` of whoever comes into a hospital's line now."""
    return _turn(session, budget, hospital_id, *_line(interface_id, hospital_id))


def _line(interface_id: UUID, hospital_id: UUID) -> tuple[ColumnElement[bool], ...]:
    mine = (Settlement.interface_id == interface_id, Settlement.hospital_id == hospital_id)
    return (*mine, Settlement.status.in_([State.TRIAL_WAITING, State.TRIALLING]))


def _turn(session: Session, budget: Budget, hospital_id: UUID, *ahead: ColumnElement[bool]) -> datetime | None:
    """Free slots say nothing while the interface fails: then nobody's turn comes before that of those ahead."""
    waiting = func.count().filter(Settlement.status == State.TRIAL_WAITING)
    failing, latest = func.bool_or(Settlement.tries > 0), func.max(Settlement.promised_at)
    count, is_failing, promised_at = session.execute(select(waiting, failing, latest).where(*ahead)).one()
    answer_s = rules.turn_answer_s(quota.answer_s(session, budget))
    expected_at = quota.expected_at(session, budget, count + 1, answer_s, str(hospital_id))
    return max(expected_at, promised_at) if is_failing and expected_at and promised_at else expected_at
