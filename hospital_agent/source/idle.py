"""The source's idle time: every reading but a waiting patient's happens in it, and ends when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection, Engine

from hospital_agent import log
from hospital_agent.errors import Temporary
from hospital_agent.sections import BulkConfig
from hospital_agent.source.engine import SourceLink, snapshot
from hospital_agent.source.probe import Hours, Probe, make_probe
from hospital_agent.source.records import Records


class NotNow(Temporary):
    """A reading waits or stopped early: `source_busy`, `by_night_only`, `spool_full`, `contended`, `agent_stops`."""


class IdleTime:
    """Readings of a source under its probe. `night` is when tables may be read whole."""

    def __init__(self, source: SourceLink, probe: Probe, night: Probe, ask_every_s: float) -> None:
        self.source = source
        self._probe, self._night, self._ask_every_s = probe, night, ask_every_s

    def ask(self) -> None:
        """Raises NotNow while the source is busy."""
        if not self._probe.is_idle():
            raise NotNow("source_busy")

    def is_night(self) -> bool:
        return self._night.is_idle()

    @contextmanager
    def reading(self, statement_timeout_ms: int, **parameters: Any) -> Iterator[Records]:
        """Records in one snapshot; `parameters` go over the mapping's own. Raises NotNow, Temporary.

        The probe is asked before the first statement, and all the time: a statement under way is broken off.
        """
        self.ask()
        watch = _Watch(self._probe, self._ask_every_s)
        try:
            with snapshot(self.source.engine, statement_timeout_ms) as connection, watch.over(connection):
                yield Records(connection, self.source.mapping, {**self.source.parameters(), **parameters})
        except Temporary as error:
            if watch.broke_off:
                raise NotNow("source_busy") from error
            raise


def make_idle_time(source: SourceLink, config: BulkConfig, now: Callable[[], datetime]) -> IdleTime:
    """Raises ConfigError."""
    zone = source.mapping.conventions.zone
    probe = make_probe(config, source.engine, zone, now)
    return IdleTime(source, probe, Hours(config.night, zone, now), config.probe_every_s)


class _Watch:
    """Asks the probe again and again in a thread of its own while a reading runs."""

    def __init__(self, probe: Probe, every_s: float) -> None:
        self._probe, self._every_s = probe, every_s
        self._ends = threading.Event()
        self.broke_off = False

    @contextmanager
    def over(self, connection: Connection) -> Iterator[None]:
        """Over what runs on this connection. It ends before the connection is anybody else's."""
        thread = threading.Thread(target=self._look, args=(breaker(connection),), name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ends.set()
            thread.join()

    def _look(self, break_off: Callable[[], None]) -> None:
        while not self._ends.wait(self._every_s):
            if not self._probe.is_idle():
                self.broke_off = True
                break_off()


def breaker(connection: Connection) -> Callable[[], None]:
    """What ends the statement that runs on this connection, from another thread.

    pyodbc can end one only through its cursor, so on SQL Server a statement ends by its timeout and at a portion's end.
    """
    driver: Any = connection.connection.dbapi_connection
    match connection.dialect.name:
        case "postgresql" | "oracle":
            return _quietly(driver.cancel)
        case "mysql" | "mariadb":
            return _quietly(_killer(connection.engine, driver.thread_id()))
    return lambda: None


def _killer(engine: Engine, thread_id: int) -> Callable[[], None]:
    def kill() -> None:
        with engine.connect() as other:
            other.exec_driver_sql(f"KILL QUERY {thread_id:d}")

    return kill


def _quietly(break_off: Callable[[], None]) -> Callable[[], None]:
    """Whatever goes wrong here, the reading still ends: by its timeout, or when it next asks."""

    def run() -> None:
        try:
            break_off()
        except Exception as error:  # of whatever kind this driver raises
            log.failure("break_off_failed", error)

    return run
