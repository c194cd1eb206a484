"""Waking whoever waits for a party's commands or changes: a NOTIFY that PostgreSQL sends with the commit."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from app.core.bare import Bare
from app.core.work import Work

CHANNEL = "exchange"
# Every command runs one of them.
_NOTIFY = Bare(text("SELECT pg_notify(:channel, CAST(:party_id AS text))").bindparams(channel=CHANNEL))
_MAKE_LANE = Bare(
    text(
        "WITH made AS (INSERT INTO lane (party_id, name) VALUES (:party_id, :name) ON CONFLICT DO NOTHING)"
        " SELECT pg_notify(:channel, CAST(:party_id AS text))"
    ).bindparams(channel=CHANNEL)
)


def party(work: Work, party_id: UUID, *, lane: str | None = None) -> None:
    """Make the lane known when it is new, and notify: PostgreSQL tells once what a transaction notifies twice."""
    done = work.session.info.setdefault("exchange.woken", set())
    if lane is not None and (party_id, lane) not in done:
        _MAKE_LANE.run(work.session, {"party_id": party_id, "name": lane})
        done |= {(party_id, lane), party_id}
    if party_id not in done:
        _NOTIFY.run(work.session, {"party_id": party_id})
        done.add(party_id)
