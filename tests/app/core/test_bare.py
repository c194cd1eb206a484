from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import bindparam, column, insert, select, values
from sqlalchemy.exc import IntegrityError, OperationalError

from app.core.bare import Bare, word
from app.core.work import Runtime
from app.exchange.models import Party

_ADD = Bare(
    insert(Party).values(
        {name: bindparam(name) for name in ("id", "code", "config")} | {"kind": "hospital", "name": "医院"}
    )
)
_NAMED = Bare(
    select(Party.id, Party.name)
    .where(Party.kind == word("hospital"), Party.name == "医院")
    .where(Party.code == bindparam("of_code"))
)
_PAIRS = Bare(select(values(column("a"), column("b"), name="pairs").data([(1, "x"), (2, "y")])))


def add(runtime: Runtime, party_id: UUID, code: str) -> None:
    with runtime.work() as work:
        _ADD.run(work.session, {"id": party_id, "code": code, "config": "{}"})


def test_rows_come_by_name_and_constants_stay_as_they_were_built(runtime: Runtime) -> None:
    party_id, code = uuid4(), uuid4().hex
    add(runtime, party_id, code)
    with runtime.read() as session:
        found = _NAMED.first(session, {"of_code": code})
        assert (found.id, found.name) == (party_id, "医院")
        assert _NAMED.first(session, {"of_code": "none"}) is None
        assert [(one.a, one.b) for one in _PAIRS.all(session, {})] == [(1, "x"), (2, "y")]


def test_it_stands_and_falls_with_the_session(runtime: Runtime) -> None:
    code = uuid4().hex
    with pytest.raises(RuntimeError), runtime.work() as work:
        _ADD.run(work.session, {"id": uuid4(), "code": code, "config": "{}"})
        assert _NAMED.first(work.session, {"of_code": code}) is not None
        raise RuntimeError
    with runtime.read() as session:
        assert _NAMED.first(session, {"of_code": code}) is None


def test_what_goes_wrong_is_told_as_sqlalchemy_tells_it(runtime: Runtime) -> None:
    code = uuid4().hex
    add(runtime, uuid4(), code)
    with pytest.raises(IntegrityError):
        add(runtime, uuid4(), code)
    cut = Bare(select(Party.id).where(Party.code == bindparam("of_code")))
    with pytest.raises(OperationalError) as told, runtime.work() as work:
        connection = work.session.connection().connection.driver_connection
        assert connection is not None
        with runtime.read() as other:
            other.connection().exec_driver_sql(f"SELECT pg_terminate_backend({connection.info.backend_pid}, 5000)")
        cut.first(work.session, {"of_code": code})
    assert told.value.connection_invalidated
    with runtime.work() as work:
        assert cut.first(work.session, {"of_code": code}) is not None
