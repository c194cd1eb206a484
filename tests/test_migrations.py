"""The migrations make exactly the tables of the models, and undo them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, text

from app.tables import metadata
from tests.servers import ROOT, migrate

OURS = (
    "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic_version%'"
)
FUNCTIONS = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    engine = create_engine(empty_database_url)
    yield engine
    engine.dispose()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def test_no_table_has_drifted(empty_database_url: str, engine: Engine) -> None:
    migrate(empty_database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_down_leaves_nothing_and_up_works_again(empty_database_url: str, engine: Engine) -> None:
    migrate(empty_database_url)
    command.downgrade(_config(empty_database_url), "base")
    with engine.connect() as connection:
        assert connection.scalar(text(OURS)) == 0
        assert connection.scalar(text(FUNCTIONS)) == 0
    migrate(empty_database_url)


def test_migrated_schema_has_the_ledger_trigger(empty_database_url: str, engine: Engine) -> None:
    migrate(empty_database_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_trigger WHERE tgname = 'ledger_entry_adds_up'")) == 1
