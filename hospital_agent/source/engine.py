"""Connections to the source database: read-only, in one snapshot, with a statement timeout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from hospital_agent.errors import ConfigError, Temporary

APPLICATION_NAME = "zhipei-agent"


def make_engine(database_url: str) -> Engine:
    """An engine whose errors never carry values. Plain postgresql:// means psycopg 3."""
    try:
        url = make_url(database_url)
    except SQLAlchemyError as error:
        raise ConfigError("[source] database_url is not a database URL") from error
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        arguments = {"application_name": APPLICATION_NAME, "connect_timeout": 5, "client_encoding": "utf8"}
    try:
        return sa.create_engine(url, connect_args=arguments, hide_parameters=True, pool_pre_ping=True, pool_size=4)
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigError(f"[source] no driver for {url.drivername} is installed") from error


@contextmanager
def snapshot(engine: Engine, statement_timeout_ms: int) -> Iterator[Connection]:
    """One read-only transaction that sees one state of the source. Database errors become Temporary."""
    try:
        with engine.connect() as connection:
            _prepare(connection, statement_timeout_ms)
            yield connection
            connection.rollback()
    except DBAPIError as error:
        raise Temporary(_code(error)) from error


def _prepare(connection: Connection, timeout_ms: int) -> None:
    match connection.dialect.name:
        case "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.execute(sa.text(f"SET LOCAL statement_timeout = {int(timeout_ms)}"))
        case "mysql" | "mariadb":
            connection.execution_options(isolation_level="REPEATABLE READ")
            connection.execute(sa.text(f"SET SESSION max_execution_time = {int(timeout_ms)}"))
        case "oracle":
            connection.execute(sa.text("SET TRANSACTION READ ONLY"))


def _code(error: DBAPIError) -> str:
    if getattr(error.orig, "sqlstate", "") == "57014":
        return "source_slow"
    return "source_unreachable" if isinstance(error, OperationalError) else "source_query_failed"
