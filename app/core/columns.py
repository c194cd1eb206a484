"""Rows in bulk, out of PostgreSQL and into it by COPY: no statement and no object for each of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import JSON, SelectBase, Table, Uuid
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.core.db import driver

# Below this an INSERT is as quick, and takes one round trip fewer.
FEW = 8
Rows = Sequence[Mapping[str, Any]]
Columns = Mapping[str, Sequence[Any]]
_NULL = "\\N"
_json = json.JSONEncoder(ensure_ascii=False).encode  # made once: json.dumps makes one each time
_AS_WRITTEN = {int, Decimal, date, datetime}  # by Python as by PostgreSQL
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_out(session: Session, wanted: SelectBase) -> bytes:
    """The rows of a SELECT as CSV with a header. Values in it must be constants of the program: they become text."""
    compiled = wanted.compile(dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True})
    with _copying(session, f"COPY ({compiled}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        return b"".join(bytes(piece) for piece in copy)


@dataclass(frozen=True)
class Group:
    """Rows that all name the same columns in the same order, and what is the `same` in all of them."""

    rows: Rows
    same: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.rows[0], *self.same)

    def columns(self) -> Columns:
        """ValueError if one row names other columns."""
        names = tuple(self.rows[0])
        if any(tuple(row) != names for row in self.rows):
            raise ValueError("rows name different columns")
        return dict(zip(names, zip(*(row.values() for row in self.rows), strict=True), strict=True))


def add_rows(session: Session, table: Table, rows: Rows, *, same: Mapping[str, Any] | None = None) -> None:
    """Insert rows that all name the same columns in the same order; the database fills in the others. Columns in which
    they do not differ are given once, in `same`.

    Neither flushes nor knows the ORM: defaults that only Python has must be given. A unique column that is taken
    already is an error, as with INSERT.
    """
    add_groups(session, table, [Group(rows, same or {})])


def add_groups(session: Session, table: Table, groups: Sequence[Group]) -> None:
    """As `add_rows`, for groups of rows that each have something else in common; all name the same columns."""
    groups = [group for group in groups if group.rows]
    if not groups:
        return
    if sum(len(group.rows) for group in groups) < FEW:
        _insert(session, table, [{**row, **group.same} for group in groups for row in group.rows])
        return
    names = groups[0].names
    if any(group.names != names for group in groups):
        raise ValueError(f"{table.name}: rows name different columns")
    with _copying(session, _statement(table.name, names)) as copy:
        copy.write("".join([_as_text(table, group.columns(), group.same) for group in groups]))


def add_parts(session: Session, table: Table, parts: Iterable[Columns]) -> None:
    """As `add_rows`, column by column and part by part: the database stores one part while the next is made. A value
    may also be given as the text that PostgreSQL reads."""
    waiting = iter(parts)
    if (first := next(waiting, None)) is None:
        return
    with _copying(session, _statement(table.name, tuple(first))) as copy:
        for part in chain([first], waiting):
            copy.write(_as_text(table, part, {}))


def _as_text(table: Table, columns: Columns, same: Mapping[str, Any]) -> str:
    """The rows in COPY's text format (PostgreSQL documentation, COPY, file formats)."""
    texts = [_texts(table.c[name].type, column) for name, column in columns.items()]
    tail = [_texts(table.c[name].type, [value])[0] for name, value in same.items()]
    end = "\t".join(["", *tail]) + "\n"
    return "".join(["\t".join(line) + end for line in zip(*texts, strict=True)])


@contextmanager
def _copying(session: Session, statement: Any) -> Iterator[psycopg.Copy]:
    """SQLAlchemy knows no COPY."""
    pooled = session.connection().connection
    with driver(pooled, "COPY") as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy


def _insert(session: Session, table: Table, rows: Rows) -> None:
    """A few rows by one INSERT. KeyError if one row names fewer columns than the first."""
    names = tuple(rows[0])
    held = [isinstance(table.c[name].type, JSON) for name in names]
    given = [
        _json(row[name]) if as_json and row[name] is not None else row[name]
        for row in rows
        for name, as_json in zip(names, held, strict=True)
    ]
    with driver(session.connection().connection, "INSERT") as connection:
        connection.execute(_insertion(table.name, names, len(rows)), given)


@lru_cache(maxsize=1024)
def _insertion(table: str, names: tuple[str, ...], rows: int) -> str:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    row = sql.SQL("({})").format(sql.SQL(", ").join(sql.Placeholder() * len(names)))
    return (
        sql.SQL("INSERT INTO {} ({}) VALUES {}")
        .format(sql.Identifier(table), columns, sql.SQL(", ").join([row] * rows))
        .as_string()
    )


@lru_cache(maxsize=256)
def _statement(table: str, names: tuple[str, ...]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)


def _texts(kind: TypeEngine[Any], column: Sequence[Any]) -> Sequence[str]:
    """One column's values, column by column because most need no escape and that is seen at once."""
    if isinstance(kind, JSON):
        return _safe([None if value is None else _json(value) for value in column])
    types = set(map(type, column))
    if types <= _AS_WRITTEN:
        return list(map(str, column))
    if types == {str}:
        return _safe(column)
    if isinstance(kind, Uuid):  # hex is read as well as the form with hyphens, and written in a tenth of the time
        return [_NULL if value is None else value.hex for value in column]
    return _safe([None if value is None else _plain(value) for value in column])


def _safe(texts: Sequence[str | None]) -> Sequence[str]:
    """With NULL and what would end a value or a line written as COPY reads it."""
    known = [text for text in texts if text is not None]
    together = "".join(known)
    if any(char in together for char in _ESCAPES):
        return [_NULL if text is None else _escaped(text) for text in texts]
    return known if len(known) == len(texts) else [_NULL if text is None else text for text in texts]


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
