"""The database as the features see it: a typed base class, the column types of the domain, one engine per process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Annotated, Any, ClassVar
from uuid import UUID

import psycopg
from sqlalchemy import ARRAY, BigInteger, Dialect, Engine, MetaData, Text, TypeDecorator, Uuid, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from app.core.errors import Tampered
from app.core.ids import new_id
from app.core.looking import Looking, is_quiet
from app.core.privacy import Privacy

Fen = Annotated[int, mapped_column(BigInteger)]
Sealed = Annotated[str, mapped_column(Text)]
Moment = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]


class Ids(TypeDecorator[Collection[UUID]]):
    """Many ids as one parameter, for `= ANY(…)`. They are written as one text: the driver would look at each of them
    for what has to be escaped, and take longer than PostgreSQL takes to find the rows."""

    impl = ARRAY(Uuid)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Collection[UUID] | None], str | None]:
        return as_array


def as_array(ids: Collection[UUID] | None) -> str | None:
    return None if ids is None else "{" + ",".join([one.hex for one in ids]) + "}"


class Base(DeclarativeBase):
    """Every table. Rows get their id when they are made, because encrypted fields are bound to it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: JSONB,
    }


@event.listens_for(Base, "init", propagate=True)
def _number_row(row: Base, _arguments: object, values: dict[str, Any]) -> None:
    id_column = row.__table__.columns.get("id")
    if id_column is not None and id_column.type.python_type is UUID:
        values.setdefault("id", new_id())


class Row:
    """A row that is known by an unguessable id of ours."""

    id: Mapped[UUID] = mapped_column(primary_key=True)


class Checked:
    """A row that carries money or a decision. `check_over` names the key columns its keyed check field covers.

    The field is written on flush and never by hand. Columns under it change only through the ORM; `machine.move`
    refuses to set them.
    """

    check_over: tuple[str, ...] = ()
    check_field: Mapped[str]

    def check_value(self, privacy: Privacy) -> str:
        columns = {name: getattr(self, name) for name in self.check_over}
        return privacy.check(getattr(self, "__tablename__", ""), columns)

    def require_check(self, privacy: Privacy) -> None:
        """Tampered if the row's key columns were changed behind the program's back."""
        if not compare_digest(self.check_field, self.check_value(privacy)):
            raise Tampered(f"{getattr(self, '__tablename__', '')}:{getattr(self, 'id', '')}")


def _require_quiet(connection: Any, _record: object, _proxy: object) -> None:
    """In place of one that the server has ended the pool opens another."""
    if not is_quiet(connection):
        raise DisconnectionError


@contextmanager
def driver(connection: Any, what: str) -> Iterator[psycopg.Connection[Any]]:
    """psycopg's own connection under one of SQLAlchemy's; what goes wrong is raised as SQLAlchemy would raise it."""
    found = connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    try:
        yield found
    except psycopg.Error as error:
        raise DBAPIError.instance(what, None, error, psycopg.Error, connection_invalidated=found.closed) from error


def first_row(session: Session, statement: str, known: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row of a statement in psycopg's own form, in the session's transaction. What the session holds and has
    not flushed is not seen."""
    with driver(session.connection().connection, "statement") as connection:
        row: tuple[Any, ...] | None = connection.execute(statement, known).fetchone()
        return row


_OPTIONS = "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=60s"


@dataclass(frozen=True)
class _Connected:
    """What one process has made for itself."""

    pid: int
    engine: Engine
    looking: Looking
    writers: sessionmaker[Session]
    readers: sessionmaker[Session]


class Database:
    """Engines and sessions of one process. A forked child makes its own engine: connections are not shared."""

    def __init__(self, url: str, privacy: Privacy, *, pool_size: int = 5) -> None:
        self.url, self._privacy, self._pool_size = url, privacy, pool_size
        self._connected: _Connected | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        return self._of_this_process().engine

    def session(self) -> Session:
        """A session for one transaction; only app.core.work commits."""
        return self._of_this_process().writers()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only session without BEGIN and ROLLBACK: each statement sees what is committed."""
        with self._of_this_process().readers() as session:
            yield session

    def look(self, statement: str, known: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row of a SELECT in psycopg's own form, outside of any transaction."""
        return self._of_this_process().looking.first_row(statement, known)

    def dispose(self) -> None:
        with self._lock:
            if self._connected is not None:
                self._connected.engine.dispose()
                self._connected.looking.dispose()
                self._connected = None

    def _of_this_process(self) -> _Connected:
        with self._lock:
            if self._connected is None or self._connected.pid != os.getpid():
                self._connected = self._connect()
            return self._connected

    def _connect(self) -> _Connected:
        """The engine, and the makers of sessions: making these takes longer than many a transaction."""
        engine = create_engine(
            self.url,
            pool_size=self._pool_size,
            max_overflow=10,
            hide_parameters=True,  # an error's text goes into the log
            connect_args={"options": _OPTIONS},
        )
        event.listen(engine, "checkout", _require_quiet)
        # To plan a statement of several tables takes longer than to run it: here it is planned once.
        looking = Looking(self.url, f"{_OPTIONS} -c plan_cache_mode=force_generic_plan")
        writers = sessionmaker(engine, expire_on_commit=False, autoflush=True)
        event.listen(writers, "before_flush", self._stamp)
        readers = sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False)
        return _Connected(os.getpid(), engine, looking, writers, readers)

    def _stamp(self, session: Session, _context: object, _instances: object) -> None:
        for row in (*session.new, *session.dirty):
            if isinstance(row, Checked):
                row.check_field = row.check_value(self._privacy)
