"""Rows in bulk, out of PostgreSQL and into it by COPY: no statement and no object for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import SelectBase
from sqlalchemy.orm import Session


def copy_out(session: Session, wanted: SelectBase) -> bytes:
    """The rows of a SELECT as CSV with a header. Values in it must be constants of the program: they become text."""
    compiled = wanted.compile(dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True})
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"COPY ({compiled}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        return b"".join(bytes(piece) for piece in copy)


def copy_in(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows, each with a value for every column; JSON goes in as text. Names are constants of the program."""
    names = ", ".join(f'"{name}"' for name in columns)
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
