"""What waits too long. Nothing here decrypts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.paging import PageQuery, page
from app.exchange.models import Command, DataRequest, Party
from app.exchange.states import CommandState, RequestState


def late_commands(
    session: Session, before: datetime, query: PageQuery, party_id: UUID | None = None
) -> tuple[Sequence[Command], UUID | None]:
    """Commands from before a moment that wait for their answer or never got one, newest first; of one party, or of
    all."""
    late = (CommandState.OPEN, CommandState.FETCHED, CommandState.OVERDUE)
    wanted = select(Command).where(Command.status.in_(late), Command.created_at < before)
    if party_id is not None:
        wanted = wanted.where(Command.party_id == party_id)
    return page(session, wanted, Command.id, query)


def unanswered_requests(
    session: Session, query: PageQuery, party_id: UUID | None = None
) -> tuple[Sequence[DataRequest], UUID | None]:
    """Data requests that wait for their answer or never got one, newest first; those that one party asked or is asked,
    or all."""
    unanswered = (RequestState.OPEN, RequestState.FETCHED, RequestState.OVERDUE)
    wanted = select(DataRequest).where(DataRequest.status.in_(unanswered))
    if party_id is not None:
        wanted = wanted.where(or_(DataRequest.party_id == party_id, DataRequest.hospital_id == party_id))
    return page(session, wanted, DataRequest.id, query)


def codes(session: Session) -> dict[UUID, str]:
    """The code of every party, for lists."""
    return {row.id: row.code for row in session.execute(select(Party.id, Party.code))}
