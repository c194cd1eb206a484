"""Rows in bulk, out of PostgreSQL and into it by COPY: no statement and no object for each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import JSON, Insert, SelectBase, Table, Uuid, insert
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.core.db import driver

# Below this an INSERT is as quick, and takes one round trip fewer.
FEW = 8
Rows = Sequence[Mapping[str, Any]]
_NULL = "\\N"
_json = json.JSONEncoder(ensure_ascii=False).encode  # made once: json.dumps makes one each time
_AS_WRITTEN = {int, Decimal, date, datetime}  # by Python as by PostgreSQL
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_out(session: Session, wanted: SelectBase) -> bytes:
    """The rows of a SELECT as CSV with a header. Values in it must be constants of the program: they become text."""
    compiled = wanted.compile(dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True})
    with _copying(session, f"COPY ({compiled}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        return b"".join(bytes(piece) for piece in copy)


def add_rows(session: Session, table: Table, rows: Rows) -> None:
    """Insert rows that all name the same columns in the same order; the database fills in the others.

    Neither flushes nor knows the ORM: defaults that only Python has must be given. A unique column that is taken
    already is an error, as with INSERT.
    """
    if not rows:
        return
    if len(rows) < FEW:
        given = [dict(row) for row in rows]
        session.connection().execute(_insert(table), given if len(given) > 1 else given[0])
        return
    names = tuple(rows[0])
    with _copying(session, _statement(table.name, names)) as copy:
        copy.write(as_text(table, names, rows))


def as_text(table: Table, names: tuple[str, ...], rows: Rows) -> str:
    """The rows in COPY's text format (PostgreSQL documentation, COPY, file formats). ValueError if one names other
    columns."""
    if any(tuple(row) != names for row in rows):
        raise ValueError(f"{table.name}: rows name different columns")
    columns = zip(*(row.values() for row in rows), strict=True)
    texts = [_texts(table.c[name].type, column) for name, column in zip(names, columns, strict=True)]
    return "".join(["\t".join(line) + "\n" for line in zip(*texts, strict=True)])


@contextmanager
def _copying(session: Session, statement: Any) -> Iterator[psycopg.Copy]:
    """SQLAlchemy knows no COPY."""
    pooled = session.connection().connection
    with driver(pooled, "COPY") as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy


@lru_cache(maxsize=256)
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=256)
def _statement(table: str, names: tuple[str, ...]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)


def _texts(kind: TypeEngine[Any], column: Sequence[Any]) -> list[str]:
    """One column's values, column by column because most need no escape and that is seen at once."""
    if isinstance(kind, Uuid):  # hex is read as well as the form with hyphens, and written in a tenth of the time
        return [_NULL if value is None else value.hex for value in column]
    texts: Sequence[str | None]
    if isinstance(kind, JSON):
        texts = [None if value is None else _json(value) for value in column]
    elif (types := set(map(type, column))) == {str}:
        texts = column
    elif types <= _AS_WRITTEN:
        texts = list(map(str, column))
    else:
        texts = [None if value is None else _plain(value) for value in column]
    together = "".join([text for text in texts if text is not None])
    if any(char in together for char in _ESCAPES):
        return [_NULL if text is None else _escaped(text) for text in texts]
    return [_NULL if text is None else text for text in texts]


def _plain(value: Any) -> str:
    """TypeError for what PostgreSQL writes otherwise than Python: bytes, arrays."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if not isinstance(value, int | Decimal | date):  # a datetime is a date
        raise TypeError(f"{type(value).__name__} in COPY")
    return str(value)


def _escaped(text: str) -> str:
    for char, escape in _ESCAPES.items():  # the backslash first
        text = text.replace(char, escape)
    return text
