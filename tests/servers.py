"""A real PostgreSQL and Valkey for one test process, kept between runs so that they start in a tenth of a second."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
from alembic import command
from alembic.config import Config

from app.core.embedded import EmbeddedServerError, Postgres, Valkey

ROOT = Path(__file__).resolve().parent.parent
_TEMPLATE = "migrated"
# Connections of this name outlive a test and are left alone at rest.
_KEPT = "kept"
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND (application_name, state) IS DISTINCT FROM (%s, 'idle')"
)
# What a test may have changed beside rows: schemas, tables, indexes, constraints, triggers.
_SHAPE = """
SELECT count(*), sum(hashtextextended(kind || name, place::bigint)) FROM (
    SELECT 'class', relname, relnamespace FROM pg_class WHERE relkind <> 't' AND relname !~ '^pg_toast'
    UNION ALL SELECT 'constraint', conname, conrelid FROM pg_constraint
    UNION ALL SELECT 'trigger', tgname || tgenabled::text, tgrelid FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'schema', nspname, oid FROM pg_namespace WHERE nspname !~ '^pg_'
) AS shape (kind, name, place)
"""
# As a replica, so that no trigger and no foreign key asks for an order. Deleting a few rows is quicker than truncating,
# and most tables never had any.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    PERFORM setval(seqrelid::regclass, seqstart, false) FROM pg_sequence;
END $$
"""


class Databases:
    """Databases on one server: empty ones, and copies of one that has every table."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._template: str | None = None
        self._idle: list[_Lent] = []

    @property
    def log_path(self) -> Path:
        """The server's own log."""
        return self._server.log_path

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The URL of a database with every table and no rows. It comes back emptied for the next borrower, which takes
        a tenth of what a new one takes; one whose tables were changed is dropped."""
        database = self._next()
        yield database.url
        self._idle.append(database)

    def close(self) -> None:
        for database in self._idle:
            database.close()

    def _next(self) -> _Lent:
        while self._idle:
            database = self._idle.pop()  # the last one used: what its connections have prepared is worth most
            if database.was_emptied():
                return database
            database.close()
            self.drop(database.url)
        return _Lent(self.create())

    def create(self, *, migrated: bool = True) -> str:
        """The URL of a new database; a migrated one is copied from a template in some tenths of a second."""
        if migrated and self._template is None:
            self._template = self._make_template()
        name = f"test_{uuid.uuid4().hex}"
        return self._server.create_database(name, self._template if migrated else None)

    def drop(self, url: str) -> None:
        self._server.drop_database(url.rpartition("/")[2])

    def _make_template(self) -> str:
        url = self._server.create_database(_TEMPLATE)
        migrate(url)
        return _TEMPLATE


class _Lent:
    """A database with every table, and a session of ours in it that lasts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self._shape = self._session.execute(_SHAPE).fetchone()

    def was_emptied(self) -> bool:
        """Whether it now is as it was when it was new, and nobody else is in it."""
        self._session.execute(_END_OTHERS, [_KEPT])
        if self._session.execute(_SHAPE).fetchone() != self._shape:
            return False
        self._session.execute(_EMPTY)
        return True

    def close(self) -> None:
        self._session.close()


def kept_url(url: str) -> str:
    """Through it a database is given back with connections that the next borrower takes over."""
    return f"{url}{'&' if '?' in url else '?'}application_name={_KEPT}"


def migrate(url: str, revision: str = "head") -> None:
    """Bring a database to a revision with the product's migrations."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, revision)


def start_postgres() -> Postgres:
    """A server of our own: the first of `.data/test/postgres-0`, `-1`, … that no other test process uses."""
    for number in itertools.count():
        server = Postgres(ROOT / ".data" / "test" / f"postgres-{number}", durable=False)
        try:
            server.start()
        except EmbeddedServerError as error:
            if not error.in_use:
                raise
        else:
            for name in server.databases():
                server.drop_database(name)
            return server
    raise AssertionError("unreachable")


def start_valkey() -> Valkey:
    for number in itertools.count():
        server = Valkey(ROOT / ".data" / "test" / f"valkey-{number}")
        try:
            server.start()
        except EmbeddedServerError as error:
            if not error.in_use:
                raise
        else:
            return server
    raise AssertionError("unreachable")


def empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
