"""Rows in bulk: out of PostgreSQL by COPY, so that none passes through Python one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import SelectBase
from sqlalchemy.orm import Session


def copy_out(session: Session, wanted: SelectBase) -> bytes:
    """The rows of a SELECT as CSV with a header. Values in it must be constants of the program: they become text."""
    compiled = wanted.compile(dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True})
    connection: Any = session.connection().connection.driver_connection
    with connection.cursor() as cursor, cursor.copy(f"COPY ({compiled}) TO STDOUT (FORMAT csv, HEADER)") as copy:
        return b"".join(bytes(piece) for piece in copy)
