"""Single SELECTs in psycopg's own form, outside of any transaction: for what a burst asks. A session, or a connection
out of SQLAlchemy's pool, costs more than such a statement."""

from __future__ import annotations

import select
from collections.abc import Mapping
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError


class Looking:
    """Connections at rest, as many as were ever needed at once."""

    def __init__(self, url: str, options: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._options = options
        self._idle: list[psycopg.Connection[Any]] = []  # to pop and to append needs no lock

    def first_row(self, statement: str, known: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """DBAPIError as SQLAlchemy would raise it."""
        try:
            connection = self._take()
        except psycopg.Error as error:
            raise DBAPIError.instance(None, None, error, psycopg.Error) from error
        try:
            row: tuple[Any, ...] | None = connection.execute(statement, known).fetchone()
            return row
        except psycopg.Error as error:
            lost = connection.closed
            raise DBAPIError.instance("SELECT", None, error, psycopg.Error, connection_invalidated=lost) from error
        finally:
            if not connection.closed:
                self._idle.append(connection)

    def dispose(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> psycopg.Connection[Any]:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return psycopg.connect(self._url, autocommit=True, options=self._options)
            if is_quiet(connection):
                return connection
            connection.close()


def is_quiet(connection: Any) -> bool:
    """A connection at rest has nothing to say, unless the server has ended it.

    This sees what a ping before each use would see, without its round trip.
    """
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)
