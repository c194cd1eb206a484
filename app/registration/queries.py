from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.paging import PageQuery, page
from app.core.steady import database_now
from app.registration import rules
from app.registration.models import Registration
from app.registration.states import WAITING


@dataclass(frozen=True)
class Place:
    """`place` counts from 1; `expected_s` comes from the pace of the last who left the line, None before the first.
    Whoever rests has a turn after the rest."""

    place: int
    expected_s: int | None


def of_person(session: Session, person_id: UUID) -> Sequence[Registration]:
    mine = select(Registration).where(Registration.person_id == person_id)
    return session.scalars(mine.order_by(Registration.id.desc())).all()


def aside(session: Session, party_id: UUID | None, query: PageQuery) -> tuple[Sequence[Registration], UUID | None]:
    """Entries that stepped aside, of one hospital or of all."""
    wanted = select(Registration).where(Registration.left_at.is_(None), Registration.tries >= rules.TRIES_IN_PLACE)
    if party_id is not None:
        wanted = wanted.where(Registration.hospital_id == party_id)
    return page(session, wanted, Registration.id, query)


def place(session: Session, row: Registration) -> Place | None:
    """Where a waiting entry stands; None for one that has left the line."""
    if row.status not in WAITING:
        return None
    mine = (Registration.hospital_id == row.hospital_id, Registration.left_at.is_(None))
    ahead = session.scalar(select(func.count()).where(*mine, Registration.line_no < row.line_no)) or 0
    finished = _finished(session, row.hospital_id)
    if finished is None:
        return Place(ahead + 1, None)
    seconds_each = finished.seconds_each(_stalled(session, row.hospital_id, finished.last))
    return Place(ahead + 1, rules.expected_s(ahead + 1, seconds_each, _rest_s(session, row)))


def _rest_s(session: Session, row: Registration) -> float:
    if row.not_before is None:
        return 0.0
    return max(0.0, (row.not_before - database_now(session)).total_seconds())


def _finished(session: Session, hospital_id: UUID) -> rules.Finished | None:
    """Whoever left the line shortly before the last who left it: an idle night is no slow hospital."""
    left_at, asked_at = Registration.left_at, Registration.asked_at
    left = select(left_at, asked_at).where(Registration.hospital_id == hospital_id, left_at.is_not(None))
    last = left.order_by(left_at.desc()).limit(rules.RECENT).subquery()
    newest = select(func.max(last.c.left_at)).scalar_subquery()
    near = select(last).where(last.c.left_at > newest - rules.RECENTLY).cte("near")
    first = select(func.min(near.c.left_at)).scalar_subquery()
    columns = (
        func.count(),
        func.count().filter(near.c.left_at > first),
        func.min(near.c.left_at),
        func.max(near.c.left_at),
        func.min(near.c.asked_at),
    )
    found = session.execute(select(*columns).select_from(near)).one()
    return rules.Finished(*found) if found[0] else None


def _stalled(session: Session, hospital_id: UUID, last: datetime) -> timedelta:
    """How long the first in line has been asked for without anybody leaving the line."""
    mine = (Registration.hospital_id == hospital_id, Registration.left_at.is_(None))
    asked_at = select(Registration.asked_at).where(*mine).order_by(Registration.line_no).limit(1).scalar_subquery()
    stalled = session.scalar(
        select(func.clock_timestamp() - func.greatest(asked_at, last)).where(asked_at.is_not(None))
    )
    return max(stalled, timedelta()) if stalled is not None else timedelta()
