from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from app.appointment import holding, places
from app.appointment.models import Slot
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState
from app.core.clock import shanghai_date
from app.core.paging import PageQuery, page
from app.core.settings import Settings


def entry(session: Session, account_id: UUID, entry_id: UUID) -> WaitingEntry | None:
    """The entry, if this account made it."""
    row = session.get(WaitingEntry, entry_id)
    return row if row is not None and row.account_id == account_id else None


def page_of_account(session: Session, account_id: UUID, query: PageQuery) -> tuple[Sequence[WaitingEntry], UUID | None]:
    mine = select(WaitingEntry).where(WaitingEntry.account_id == account_id)
    return page(session, mine, WaitingEntry.id, query)


def place(session: Session, row: WaitingEntry) -> int | None:
    """Where a waiting entry stands, counted from 1 over everybody whom a place of its slots would be offered to first;
    None for one that does not wait."""
    if row.status != WaitingState.WAITING:
        return None
    ahead = (WaitingEntry.status == WaitingState.WAITING, WaitingEntry.line_no < row.line_no)
    count = session.scalar(select(func.count()).where(*ahead, _same_line(session, row)))
    return 1 + (count or 0)


def is_passed_over(session: Session, settings: Settings, row: WaitingEntry) -> bool:
    """Whether who waits has no room for a place, should one be free now."""
    room = holding.has_room(settings, literal(row.account_id), literal(row.person_id))
    return row.status == WaitingState.WAITING and not session.scalar(select(room))


def _same_line(session: Session, row: WaitingEntry) -> ColumnElement[bool]:
    if row.slot_id is None:
        slots = select(Slot.id).where(places.of_day(row.hospital_id, row.doctor_code, row.day))
        return or_(WaitingEntry.slot_id.in_(slots), _of_day(row.hospital_id, row.doctor_code, row.day))
    slot = session.get(Slot, row.slot_id)
    assert slot is not None
    day = shanghai_date(slot.starts_at)
    return or_(WaitingEntry.slot_id == slot.id, _of_day(slot.hospital_id, slot.doctor_code, day))


def _of_day(hospital_id: UUID, doctor_code: str | None, day: date | None) -> ColumnElement[bool]:
    return and_(
        WaitingEntry.hospital_id == hospital_id, WaitingEntry.doctor_code == doctor_code, WaitingEntry.day == day
    )
