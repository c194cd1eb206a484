"""Waking whoever waits for a party's commands or changes: a NOTIFY that PostgreSQL sends with the commit."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from app.core.work import Work

CHANNEL = "exchange"
# Made once: every command runs them.
_MAKE_LANE = text("INSERT INTO lane (party_id, name) VALUES (:party_id, :name) ON CONFLICT DO NOTHING")
_NOTIFY = text("SELECT pg_notify(:channel, :party_id)").bindparams(channel=CHANNEL)


def party(work: Work, party_id: UUID, *, lane: str | None = None) -> None:
    """Notify once for each party and transaction; make the lane known when it is new."""
    done = work.session.info.setdefault("exchange.woken", set())
    if lane is not None and (party_id, lane) not in done:
        work.session.execute(_MAKE_LANE, {"party_id": party_id, "name": lane})
        done.add((party_id, lane))
    if party_id not in done:
        work.session.execute(_NOTIFY, {"party_id": str(party_id)})
        done.add(party_id)
