"""Statements that are run often, as psycopg has them: through SQLAlchemy one costs more than most cost the database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from psycopg.rows import namedtuple_row
from sqlalchemy import ClauseElement, ColumnElement, literal_column
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

from app.core.db import driver

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


def word(text: str) -> ColumnElement[str]:
    """A constant of the program as it stands in a statement's text: partial indexes are found by it."""
    return literal_column(f"'{text}'")


class Bare:
    """Built with SQLAlchemy, made into its text once, and run in the session's transaction.

    What the session holds and has not flushed is not seen. Parameters go to the driver as they are and rows come from
    it as named tuples, so it is for types that both have alike, and without IN.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement

    def first(self, session: Session, known: Mapping[str, Any]) -> Any:
        """The first row, or None where there is none."""
        found = self._run(session, known, rows=True)
        return found[0] if found else None

    def all(self, session: Session, known: Mapping[str, Any]) -> list[Any]:
        return self._run(session, known, rows=True)

    def run(self, session: Session, known: Mapping[str, Any]) -> None:
        """For a statement without rows."""
        self._run(session, known, rows=False)

    def _run(self, session: Session, known: Mapping[str, Any], *, rows: bool) -> list[Any]:
        with driver(session.connection().connection, "statement") as connection:
            cursor = connection.cursor(row_factory=namedtuple_row)
            cursor.execute(self._compiled.string, {**self._constants, **known})
            return cursor.fetchall() if rows else []

    @cached_property
    def _compiled(self) -> PGCompiler:
        compiled = self._statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, PGCompiler)
        return compiled

    @cached_property
    def _constants(self) -> Mapping[str, Any]:
        given = {key for key, parameter in self._compiled.binds.items() if parameter.required}
        every = self._compiled.construct_params(dict.fromkeys(given))
        return {key: value for key, value in every.items() if key not in given}
