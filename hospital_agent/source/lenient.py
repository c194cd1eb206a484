"""Values that a driver cannot turn into Python's own are left as they came: else one of them would be an error of the
whole reading, and no row of it be sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from psycopg import DataError
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format
from sqlalchemy import event
from sqlalchemy.engine import Engine

_TIMES = ("timestamp", "timestamptz", "date")
_MYSQL_TIMES = (7, 10, 12)
"""TIMESTAMP, DATE, DATETIME in MySQL's protocol."""


class Unread(str):
    """A date or time that Python cannot hold, as its text: `infinity`, `0000-00-00`, a year after 9999 or before 1."""

    __slots__ = ()


def keep_unread(engine: Engine) -> None:
    """On every connection of this engine. SQL Server and Oracle are left to their drivers."""
    match engine.dialect.driver:
        case "psycopg":
            event.listen(engine, "connect", _on_postgresql)
        case "pymysql":
            event.listen(engine, "connect", _on_mysql)


def _on_postgresql(driver: Any, _: Any) -> None:
    for name in _TIMES:
        oid = driver.adapters.types[name].oid
        driver.adapters.register_loader(oid, _lenient(driver.adapters.get_loader(oid, Format.TEXT)))


def _lenient(usual: type[Loader]) -> type[Loader]:
    class Lenient(Loader):
        def __init__(self, oid: int, connection: Any = None) -> None:
            super().__init__(oid, connection)
            self._usual = usual(oid, connection)

        def load(self, data: Buffer) -> Any:
            try:
                return self._usual.load(data)
            except DataError:
                return Unread(bytes(data).decode("ascii"))

    return Lenient


def _on_mysql(driver: Any, _: Any) -> None:
    """PyMySQL gives what it cannot read as text."""
    for kind in _MYSQL_TIMES:
        driver.decoders[kind] = _marked(driver.decoders[kind])


def _marked(usual: Callable[[str], Any]) -> Callable[[str], Any]:
    def decode(text: str) -> Any:
        value = usual(text)
        return value if isinstance(value, date) else Unread(text)

    return decode
