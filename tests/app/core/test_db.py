from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from sqlalchemy import any_, bindparam, select, text
from sqlalchemy.exc import OperationalError

from app.core.db import Base, Database, Ids
from app.core.ids import new_id
from app.core.settings import Settings
from app.core.work import Runtime
from app.exchange.models import Party
from app.wiring import make_runtime


def test_nothing_is_opened_before_it_is_used() -> None:
    runtime = make_runtime(
        Settings(database_url="postgresql+psycopg://127.0.0.1:1/none"), routes={}, ring=lambda kinds: None
    )
    assert runtime.database._connected is None


def test_a_row_knows_its_id_when_it_is_made() -> None:
    first, second = Party(code="a"), Party(code="b")
    assert first.id < second.id
    assert Party(id=first.id).id == first.id


def test_every_constraint_has_a_name() -> None:
    for table in Base.metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints), table.name


def test_times_are_kept_with_their_zone(runtime: Runtime) -> None:
    with runtime.read() as session:
        assert session.scalar(text("SELECT now()")).utcoffset() == timedelta(0)
        assert session.scalar(text("SHOW timezone")) == "UTC"


def test_many_ids_are_one_parameter(runtime: Runtime) -> None:
    rows = [Party(kind="hospital", code=f"H{number}", name="医院") for number in range(3)]
    with runtime.work() as work:
        work.add(*rows)
    wanted = select(Party.id).where(Party.id == any_(bindparam("ids", type_=Ids())))
    ids = [row.id for row in rows]
    for given, found in (([*ids[:2], new_id()], set(ids[:2])), (set(ids), set(ids)), ([], set()), (None, set())):
        with runtime.read() as session:
            assert set(session.scalars(wanted, {"ids": given})) == found


def test_a_child_process_makes_its_own_engine(runtime: Runtime) -> None:
    parent = runtime.database.engine
    pid = os.fork()
    if pid == 0:
        os._exit(0 if runtime.database.engine is not parent else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert runtime.database.engine is parent


def test_a_connection_that_was_cut_is_replaced(runtime: Runtime) -> None:
    with runtime.read() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    other = Database(runtime.settings.database_url, runtime.privacy)
    with other.read() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with runtime.read() as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != pid
    other.dispose()


def test_nobody_waits_for_a_lock_without_end(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = Database(runtime.settings.database_url, runtime.privacy)
    with runtime.work() as holder:
        holder.session.execute(text("LOCK TABLE party"))
        with impatient.session() as session:
            assert session.scalar(text("SHOW lock_timeout")) == "10s"
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            started = time.monotonic()
            with pytest.raises(OperationalError):
                session.execute(text("SELECT count(*) FROM party"))
            assert time.monotonic() - started < 9.9
    impatient.dispose()
