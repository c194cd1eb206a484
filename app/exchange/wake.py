"""Waking whoever waits for a party's commands or changes: a NOTIFY that PostgreSQL sends with the commit."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.work import Work
from app.exchange.models import Lane

CHANNEL = "exchange"


def party(work: Work, party_id: UUID, *, lane: str | None = None) -> None:
    """Notify once for each party and transaction; make the lane known when it is new."""
    done = work.session.info.setdefault("exchange.woken", set())
    if lane is not None and (party_id, lane) not in done:
        work.session.execute(insert(Lane).values(party_id=party_id, name=lane).on_conflict_do_nothing())
        done.add((party_id, lane))
    if party_id not in done:
        work.session.execute(select(func.pg_notify(CHANNEL, str(party_id))))
        done.add(party_id)
