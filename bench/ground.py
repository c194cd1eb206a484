"""What benchmarks of the whole product stand on: servers, databases that are copies of one another, and a runtime."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql

from app.core.embedded import Postgres, Valkey
from app.core.settings import Settings
from app.core.work import Runtime
from app.wiring import make_runtime
from workers.routes import ROUTES

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Ground:
    """A PostgreSQL server, in which databases may be made, and a Redis."""

    server_url: str
    redis_url: str

    def new_database(self, template_url: str | None = None) -> str:
        """The URL of a new database with every table, or of a copy of one that has no sessions."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        template = _name(template_url) if template_url else "template1"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        self._execute(statement)
        url = _with_name(self.server_url, name)
        if template_url is None:
            migrate(url)
        return url

    def drop(self, url: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name(url))))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(libpq(self.server_url), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def servers() -> Iterator[Ground]:
    """REDIS_URL and DATABASE_URL if given (its user must be allowed to make databases), else embedded ones in a
    temporary directory; PostgreSQL is durable."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        redis_url, database_url = os.environ.get("REDIS_URL"), os.environ.get("DATABASE_URL")
        if not redis_url:
            valkey = Valkey(directory / "valkey")
            redis_url = valkey.start()
            stack.callback(valkey.remove)
        if not database_url:
            postgres = Postgres(directory / "postgres")
            database_url = postgres.start()
            stack.callback(postgres.remove)
        yield Ground(database_url, redis_url)


def runtime_on(database_url: str, *, pool_size: int = 5, **more: Any) -> Runtime:
    """A runtime that rings no bell: the benchmark itself says who works. `more` are settings by name."""
    settings = Settings(database_url=database_url, database_pool_size=pool_size, **more)
    return make_runtime(settings, routes=ROUTES, ring=lambda kinds: None)


def libpq(url: str) -> str:
    """The URL as psycopg itself takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def report(text: str) -> None:
    """Progress, on standard error, with the time and the machine's load."""
    print(f"{time.strftime('%H:%M:%S')} load {load():.1f}  {text}", file=sys.stderr, flush=True)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """For the command line of a measurement, which adds its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    return parser


def count(text: str) -> int:
    """The type of an option that says how many; argparse refuses what is not at least one."""
    if (found := int(text)) < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return found


def tell(result: Mapping[str, Any], *, json_alone: bool) -> None:
    """The figures, one a line, and all of them as a last line of JSON."""
    if not json_alone:
        for name, value in result.items():
            print(f"{name:24} {value}")
    print(json.dumps(result, ensure_ascii=False))


def load() -> float:
    """Processes that run or want to, in the last minute."""
    return round(os.getloadavg()[0], 2)


def migrate(url: str) -> None:
    """Every table, in a database that has none."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _with_name(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
