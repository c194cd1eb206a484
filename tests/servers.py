"""A real PostgreSQL and Valkey for one test process, kept between runs so that they start in a tenth of a second."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path

import redis
from alembic import command
from alembic.config import Config

from app.core.embedded import EmbeddedServerError, Postgres, Valkey

ROOT = Path(__file__).resolve().parent.parent
_TEMPLATE = "migrated"


class Databases:
    """Databases on one server: empty ones, and copies of one that has every table."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._template: str | None = None

    def create(self, *, migrated: bool = True) -> str:
        """The URL of a new database; a migrated one is copied from a template in about 40 ms."""
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
