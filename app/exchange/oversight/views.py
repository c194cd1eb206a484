"""Rows of the exchange as operators see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.tasks import Task
from app.exchange import pushing, queries
from app.exchange.completeness import completeness_of
from app.exchange.models import Command, DataRequest, Party
from app.exchange.oversight import contracts as c


def completeness(session: Session, parties: Sequence[Party], day: date) -> list[c.PartyCompleteness]:
    found = completeness_of(session, [party.id for party in parties], day)
    return [
        c.PartyCompleteness(
            party=party.code,
            name=party.name,
            **c.CompletenessView.model_validate(found[party.id], from_attributes=True).model_dump(),
        )
        for party in parties
    ]


def late_commands(session: Session, rows: Sequence[Command]) -> list[c.LateCommandView]:
    code = queries.codes(session)
    names = c.LateCommandView.model_fields.keys() - {"party"}
    return [c.LateCommandView(party=code[row.party_id], **{name: getattr(row, name) for name in names}) for row in rows]


def requests(session: Session, rows: Sequence[DataRequest]) -> list[c.RequestView]:
    code = queries.codes(session)
    names = c.RequestView.model_fields.keys() - {"insurer", "hospital"}
    return [
        c.RequestView(
            insurer=code[row.party_id],
            hospital=code[row.hospital_id],
            **{name: getattr(row, name) for name in names},
        )
        for row in rows
    ]


def dead_task(row: Task) -> c.DeadTaskView:
    return c.DeadTaskView(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        tries=row.tries,
        created_at=row.created_at,
        failed_at=row.run_at,
        cause=row.last_error,
    )


def pushes(session: Session, party_id: UUID | None) -> list[c.PushView]:
    code = queries.codes(session)
    return [
        c.PushView(party=code[one.party_id], cursor=one.cursor, last_cursor=one.last_cursor, waiting=one.waiting)
        for one in pushing.states(session, party_id)
    ]
