"""Is the source idle? The bulk lane asks before every portion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from hospital_agent.sections import BulkConfig
from hospital_agent.source.engine import APPLICATION_NAME

_ACTIVE_ON_POSTGRESQL = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
    " AND pid <> pg_backend_pid() AND application_name <> :agent"
)


class Probe(Protocol):
    """Anything that can tell whether bulk reading is welcome now."""

    def is_idle(self) -> bool: ...


class Hours:
    """Idle within the allowed spans of the local day; a span may pass midnight. No span means always."""

    def __init__(self, spans: tuple[tuple[time, time], ...], zone: ZoneInfo, now: Callable[[], datetime]) -> None:
        self._spans, self._zone, self._now = spans, zone, now

    def is_idle(self) -> bool:
        at = self._now().astimezone(self._zone).time()
        return not self._spans or any(_inside(at, start, end) for start, end in self._spans)


class ActiveSessions:
    """Idle while at most `limit` sessions of others work. `query` answers their number; PostgreSQL has one built in."""

    def __init__(self, engine: Engine, limit: int, query: str = "") -> None:
        self._engine, self._limit = engine, limit
        self._query = sa.text(query) if query else None
        if not query and engine.dialect.name == "postgresql":
            self._query = sa.text(_ACTIVE_ON_POSTGRESQL).bindparams(agent=APPLICATION_NAME)

    def is_idle(self) -> bool:
        if self._query is None:
            return True
        try:
            with self._engine.connect() as connection:
                return int(connection.execute(self._query).scalar_one()) <= self._limit
        except DBAPIError:
            return False


class Every:
    """Idle when every probe says so."""

    def __init__(self, *probes: Probe) -> None:
        self._probes = probes

    def is_idle(self) -> bool:
        return all(probe.is_idle() for probe in self._probes)


def make_probe(config: BulkConfig, engine: Engine, zone: ZoneInfo, now: Callable[[], datetime]) -> Probe:
    return Every(Hours(config.hours, zone, now), ActiveSessions(engine, config.max_active, config.busy_query))


def _inside(at: time, start: time, end: time) -> bool:
    return start <= at < end if start <= end else at >= start or at < end
