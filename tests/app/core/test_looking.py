from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.core.db import Database
from app.core.work import Runtime

WHO = "SELECT pg_backend_pid()"


@pytest.fixture
def database(runtime: Runtime) -> Iterator[Database]:
    found = Database(runtime.settings.database_url, runtime.privacy)
    yield found
    found.dispose()


def test_a_look_stands_outside_of_transactions(database: Database) -> None:
    assert database.look("SELECT %(number)s::int, 'a'", {"number": 7}) == (7, "a")
    assert database.look("SELECT 1 WHERE %(never)s", {"never": False}) is None
    with pytest.raises(DBAPIError):
        database.look("SELECT 1 / %(number)s::int", {"number": 0})
    began = "SELECT now() = statement_timestamp()"
    assert [database.look(began, {}) for _ in range(2)] == [(True,), (True,)]
    assert database.look("SHOW plan_cache_mode", {}) == ("force_generic_plan",)


def test_one_connection_serves_whoever_comes_after_another(database: Database) -> None:
    assert len({database.look(WHO, {}) for _ in range(3)}) == 1


def test_a_look_over_a_cut_connection_is_told_as_such(database: Database) -> None:
    with pytest.raises(OperationalError) as cut:
        database.look("SELECT pg_terminate_backend(pg_backend_pid())", {})
    assert cut.value.connection_invalidated
    assert database.look("SELECT 1", {}) == (1,)


def test_a_connection_that_was_cut_at_rest_is_replaced(database: Database, runtime: Runtime) -> None:
    first = database.look(WHO, {})
    assert first is not None
    with runtime.read() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": first[0]})
    assert database.look(WHO, {}) != first


def test_without_a_server_nobody_looks(runtime: Runtime) -> None:
    with pytest.raises(OperationalError):
        Database("postgresql+psycopg://127.0.0.1:1/none", runtime.privacy).look("SELECT 1", {})
