"""Is the source idle? Asked before every reading but a waiting patient's, while it runs, and between its portions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hospital_agent import log
from hospital_agent.errors import ConfigError, Temporary
from hospital_agent.sections import BulkConfig, Spans
from hospital_agent.source.dialects import manners_of
from hospital_agent.source.engine import snapshot

TIMEOUT_MS = 1_000


class Probe(Protocol):
    """Anything that can tell whether bulk reading is welcome now."""

    def is_idle(self) -> bool: ...


class Hours:
    """Idle within the allowed spans of the local day; a span may pass midnight. No span means always."""

    def __init__(self, spans: Spans, zone: ZoneInfo, now: Callable[[], datetime]) -> None:
        self._spans, self._zone, self._now = spans, zone, now

    def is_idle(self) -> bool:
        at = self._now().astimezone(self._zone).time()
        return not self._spans or any(_inside(at, start, end) for start, end in self._spans)


class Figure:
    """Idle while the number that `query` answers is at most `limit`. No answer, and NULL, is not idle."""

    def __init__(self, engine: Engine, limit: float, query: str) -> None:
        self._engine, self._limit, self._query = engine, limit, query

    def is_idle(self) -> bool:
        found = self.ask()
        return found is not None and found <= self._limit

    def ask(self) -> float | None:
        """The number; None when the source gives none."""
        try:
            with snapshot(self._engine, TIMEOUT_MS) as connection:
                found = connection.execute(sa.text(self._query)).scalar()
                return None if found is None else float(found)
        except (Temporary, ValueError) as error:
            log.warning("probe_failed", reason=str(error) if isinstance(error, Temporary) else "not_a_number")
            return None


class ActiveSessions(Figure):
    """Idle while at most `limit` sessions of others work. PostgreSQL, MySQL, MariaDB, SQL Server and Oracle are asked
    in their own way; another database needs a `query` that answers the number. Raises ConfigError without one."""

    def __init__(self, engine: Engine, limit: int, query: str = "") -> None:
        found = query or manners_of(engine.dialect).busy_query
        if not found:
            raise ConfigError(f"[bulk] busy_query is missing: nobody knows when {engine.dialect.name} is busy")
        super().__init__(engine, limit, found)


class Every:
    """Idle when every probe says so; they are asked in order, and no further than the first that does not."""

    def __init__(self, *probes: Probe) -> None:
        self._probes = probes

    def is_idle(self) -> bool:
        return all(probe.is_idle() for probe in self._probes)


def make_probe(config: BulkConfig, engine: Engine, zone: ZoneInfo, now: Callable[[], datetime]) -> Probe:
    """Hours, active sessions, load where there is a query for it, and the site's own probe. Raises ConfigError."""
    probes: list[Probe] = [Hours(config.hours, zone, now), ActiveSessions(engine, config.max_active, config.busy_query)]
    if bool(config.load_query) != (config.max_load is not None):
        raise ConfigError("[bulk] load_query and max_load go together")
    if config.max_load is not None:
        probes.append(Figure(engine, config.max_load, config.load_query))
    if config.probe:
        probes.append(_own(config.probe, engine))
    return Every(*probes)


def _own(name: str, engine: Engine) -> Probe:
    """The probe that "module:name" makes of the source's engine."""
    module, _, attribute = name.partition(":")
    try:
        probe: Probe = getattr(importlib.import_module(module), attribute)(engine)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise ConfigError(f'[bulk] probe = "{name}" is no "module:name" that takes the engine') from error
    if not callable(getattr(probe, "is_idle", None)):
        raise ConfigError(f'[bulk] probe = "{name}" makes nothing that has is_idle()')
    return probe


def _inside(at: time, start: time, end: time) -> bool:
    return start <= at < end if start <= end else at >= start or at < end
