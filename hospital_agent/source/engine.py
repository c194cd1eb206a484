"""Connections to the source database: read-only, in one snapshot, with a statement timeout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from hospital_agent.errors import ConfigError, Temporary
from hospital_agent.mapping.model import SourceMapping
from hospital_agent.source.dialects import APPLICATION_NAME, ISOLATION, is_slow, manners_of
from hospital_agent.source.lenient import keep_unread

POOL_TIMEOUT_S = 5
_CONNECT: Mapping[str, Mapping[str, Any]] = {
    "postgresql": {"application_name": APPLICATION_NAME, "connect_timeout": 5, "client_encoding": "utf8"},
    "mysql": {"program_name": APPLICATION_NAME, "connect_timeout": 5, "charset": "utf8mb4"},
}
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}
_DRIVERS |= {"mssql": "mssql+pyodbc", "oracle": "oracle+oracledb"}


@dataclass(frozen=True)
class SourceLink:
    """A source that can be read: engine, mapping, the mapping's binds, and today's business date."""

    engine: Engine
    mapping: SourceMapping
    parameters: Callable[[], Mapping[str, Any]]


def make_engine(database_url: str, section: str = "source") -> Engine:
    """An engine whose errors never carry values. A URL without a driver means the one that the agent's extras name."""
    try:
        url = make_url(database_url)
    except SQLAlchemyError as error:
        raise ConfigError(f"[{section}] database_url is not a database URL") from error
    backend = url.get_backend_name()
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    options: dict[str, Any] = {"connect_args": _CONNECT.get("mysql" if backend == "mariadb" else backend, {})}
    if backend in ISOLATION:
        options["isolation_level"] = ISOLATION[backend]
    try:
        engine = sa.create_engine(
            url, hide_parameters=True, pool_pre_ping=True, pool_size=4, pool_timeout=POOL_TIMEOUT_S, **options
        )
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"[{section}] no driver for {url.drivername} is installed") from error
    keep_unread(engine)
    return engine


@contextmanager
def snapshot(engine: Engine, statement_timeout_ms: int) -> Iterator[Connection]:
    """One read-only transaction that sees one state of the source. Database errors become Temporary.

    A reading that ends early ends its connection: a driver would else fetch first what it was to be spared.
    """
    try:
        with engine.connect() as connection:
            try:
                manners_of(connection.dialect).prepare(connection, statement_timeout_ms)
                yield connection
                connection.rollback()
            except BaseException:
                _abandon(connection)
                raise
    except DBAPIError as error:
        raise Temporary(_code(error)) from error
    except sa.exc.TimeoutError as error:
        raise Temporary("source_connections_taken") from error


def _abandon(connection: Connection) -> None:
    if connection.invalidated:
        return
    stream = getattr(connection.connection.dbapi_connection, "_result", None)
    if stream is not None:  # PyMySQL fetches the rest of an open stream before it lets go of it
        stream.unbuffered_active = False
    connection.invalidate()


def _code(error: DBAPIError) -> str:
    if is_slow(error.orig):
        return "source_slow"
    return "source_unreachable" if isinstance(error, OperationalError) else "source_query_failed"
