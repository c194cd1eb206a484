from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.paging import PageQuery, page
from app.registration import rules
from app.registration.models import Registration
from app.registration.states import WAITING, State

RECENT = 50
RECENTLY = timedelta(minutes=10)


@dataclass(frozen=True)
class Place:
    """`place` counts from 1; `expected_s` comes from the pace of the last minutes, None while there is none."""

    place: int
    expected_s: int | None


def of_person(session: Session, person_id: UUID) -> Sequence[Registration]:
    mine = select(Registration).where(Registration.person_id == person_id)
    return session.scalars(mine.order_by(Registration.id.desc())).all()


def aside(session: Session, party_id: UUID | None, query: PageQuery) -> tuple[Sequence[Registration], UUID | None]:
    """Entries that stepped aside, of one hospital or of all."""
    wanted = select(Registration).where(Registration.status.in_(WAITING), Registration.tries >= rules.TRIES_IN_PLACE)
    if party_id is not None:
        wanted = wanted.where(Registration.hospital_id == party_id)
    return page(session, wanted, Registration.id, query)


def place(session: Session, row: Registration) -> Place | None:
    """Where a waiting entry stands; None for one that has left the line."""
    if row.status not in WAITING:
        return None
    before = (Registration.hospital_id == row.hospital_id, Registration.line_no < row.line_no)
    ahead = session.scalar(select(func.count()).where(*before, Registration.status.in_(WAITING))) or 0
    pace_s = _seconds_each(session, row.hospital_id)
    return Place(ahead + 1, None if pace_s is None else round((ahead + 1) * pace_s))


def _seconds_each(session: Session, hospital_id: UUID) -> float | None:
    recent = (
        select(Registration.status_since)
        .where(Registration.hospital_id == hospital_id, Registration.status == State.REGISTERED)
        .where(Registration.status_since > func.clock_timestamp() - RECENTLY)
        .order_by(Registration.status_since.desc())
        .limit(RECENT)
        .subquery()
    )
    first, last, count = session.execute(
        select(func.min(recent.c.status_since), func.max(recent.c.status_since), func.count())
    ).one()
    return (last - first).total_seconds() / (count - 1) if count > 1 else None
