"""Rows on their way into a hospital's tables: collected per table, written by COPY (many) or INSERT (one visit)."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

Row = dict[str, Any]


class Chart:
    """Rows per table, in the order the tables were first used. All rows of a table name the same columns."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {}

    def add(self, table: str, **columns: Any) -> None:
        self.tables.setdefault(table, []).append(columns)

    def copy_into(self, db: psycopg.Connection[Any]) -> None:
        """Write everything with COPY into the connection's current schema."""
        with db.cursor() as cursor:
            for table, rows in self.tables.items():
                columns = list(rows[0])
                statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(columns))
                with cursor.copy(statement) as copy:
                    for row in rows:
                        copy.write_row([row[column] for column in columns])

    def insert_into(self, db: psycopg.Connection[Any]) -> None:
        """Write everything with INSERT, a table at a time, in the caller's transaction."""
        with db.cursor() as cursor:
            for table, rows in self.tables.items():
                columns = list(rows[0])
                statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table), _names(columns), sql.SQL(", ").join(sql.Placeholder() * len(columns))
                )
                cursor.executemany(statement, [[row[column] for column in columns] for row in rows])


def _names(columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
