"""What a day's exchange came to, and what waits too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.exchange.models import Batch, Command
from app.exchange.states import BatchState, CommandState


@dataclass(frozen=True)
class Completeness:
    """One party's batches of one business date. `rows` counts verdicts; `missing` are numbers that its programs have
    skipped so far, whatever their date: something that was sent has not arrived."""

    batches: int
    unjudged: int
    declared_rows: int
    declared_fen: int
    rows: dict[str, int]
    missing: list[int]


@dataclass(frozen=True)
class LateCommand:
    id: UUID
    party_id: UUID
    kind: str
    lane: str
    status: str
    waiting_s: float


def completeness(session: Session, party_id: UUID, day: date) -> Completeness:
    found = session.execute(
        select(Batch.status, Batch.count.label("rows"), Batch.amount_fen, Batch.tally).where(
            Batch.party_id == party_id, Batch.business_date == day
        )
    ).all()
    rows: Counter[str] = Counter()
    for batch in found:
        rows.update(batch.tally or {})
    open_states = (BatchState.RECEIVED, BatchState.CHECKED)
    return Completeness(
        batches=len(found),
        unjudged=sum(batch.status in open_states for batch in found),
        declared_rows=sum(batch.rows for batch in found),
        declared_fen=sum(batch.amount_fen for batch in found),
        rows=dict(rows),
        missing=_missing_numbers(session, party_id),
    )


def late_commands(session: Session, longer_than: timedelta) -> Sequence[LateCommand]:
    """Commands that have waited longer for their answer, and those that never got one, longest first."""
    waited = func.extract("epoch", func.clock_timestamp() - Command.created_at)
    waiting = (CommandState.OPEN, CommandState.FETCHED, CommandState.OVERDUE)
    found = session.execute(
        select(Command.id, Command.party_id, Command.kind, Command.lane, Command.status, waited)
        .where(Command.status.in_(waiting), Command.created_at < func.clock_timestamp() - longer_than)
        .order_by(Command.created_at)
        .limit(500)
    )
    return [LateCommand(*row[:5], float(row[5])) for row in found]


def _missing_numbers(session: Session, party_id: UUID) -> list[int]:
    """At most 100 numbers between 1 and each program's highest that have not come."""
    known = (
        select(Batch.partner_id, func.max(Batch.batch_no).label("last"))
        .where(Batch.party_id == party_id)
        .group_by(Batch.partner_id)
        .subquery()
    )
    series = func.generate_series(1, known.c.last).table_valued("number").render_derived().lateral()
    arrived = select(Batch.id).where(Batch.partner_id == known.c.partner_id, Batch.batch_no == series.c.number)
    gaps = select(series.c.number).select_from(known.join(series, ~arrived.exists()))
    return list(session.scalars(gaps.order_by(series.c.number).limit(100)))
