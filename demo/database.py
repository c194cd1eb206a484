"""The product's database: brought up to date, marked with the world it belongs to, cleared for a fresh start."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
import redis
from alembic import command
from alembic.config import Config
from psycopg import sql

from demo.place import ROOT

MARK = "demo"


class DemoProblem(Exception):
    """Something the user can mend; the message says what."""


def plain(url: str) -> str:
    """The URL as psycopg itself takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def require_answer(url: str) -> None:
    """Raises DemoProblem where no PostgreSQL answers at a URL of the user's own."""
    try:
        psycopg.connect(plain(url), connect_timeout=10).close()
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        raise DemoProblem(f"no PostgreSQL answers at DATABASE_URL: {error}") from error


def migrate(url: str) -> None:
    """Bring every table to the newest revision."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")


def holds(url: str, world_id: str) -> bool:
    """Whether the database holds the data of this world."""
    with psycopg.connect(plain(url), autocommit=True) as db:
        return _mark(db) == world_id


def mark(url: str, world_id: str) -> None:
    with psycopg.connect(plain(url), autocommit=True) as db:
        db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(MARK)))
        db.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {}.world (id text PRIMARY KEY)").format(sql.Identifier(MARK)))
        db.execute(
            sql.SQL("INSERT INTO {}.world VALUES (%s) ON CONFLICT DO NOTHING").format(sql.Identifier(MARK)), [world_id]
        )


def clear(url: str, redis_url: str) -> None:
    """Drop what an earlier demonstration left. Raises DemoProblem where the tables are not a demonstration's."""
    with psycopg.connect(plain(url), autocommit=True) as db:
        schemas = _schemas(db)
        if schemas["public"] and _mark(db) is None and "mock_his" not in schemas["public"]:
            raise DemoProblem("the database already holds tables that are not a demonstration's: give an empty one")
        for name in schemas:
            db.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        db.execute("CREATE SCHEMA public")
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()


def run(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
    """A program that ends by itself. Raises DemoProblem with its last lines when it fails."""
    done = subprocess.run(argv, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        raise DemoProblem(f"{' '.join(argv[3:])} failed:\n" + "\n".join(done.stderr.splitlines()[-15:]))


def _schemas(db: psycopg.Connection) -> dict[str, list[str]]:
    """The schemas a demonstration may have made -> their tables."""
    found: dict[str, list[str]] = {"public": []}
    rows = db.execute(
        "SELECT nspname, relname FROM pg_namespace"
        " LEFT JOIN pg_class ON relnamespace = pg_namespace.oid AND relkind = 'r'"
        " WHERE nspname IN ('public', %s, 'synthea') OR nspname LIKE 'his\\_%%' OR nspname LIKE 'syn\\_%%'",
        [MARK],
    ).fetchall()
    for schema, table in rows:
        found.setdefault(schema, []).extend([table] if table else [])
    return found


def _mark(db: psycopg.Connection) -> str | None:
    if db.execute("SELECT to_regclass(%s)", [f"{MARK}.world"]).fetchone() == (None,):
        return None
    row = db.execute(sql.SQL("SELECT id FROM {}.world").format(sql.Identifier(MARK))).fetchone()
    return str(row[0]) if row else None
