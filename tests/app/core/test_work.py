from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.errors import CommitUnknown, Conflict, Tampered
from app.core.work import Actor, Runtime, Work
from app.exchange.models import Message, Party
from app.exchange.service import NewParty, put_party
from tests.app.kit import value

COUNTS = """SELECT concat_ws('/', (SELECT count(*) FROM party), (SELECT count(*) FROM task),
                   (SELECT count(*) FROM audit_entry))"""


@pytest.fixture
def rung(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What the doorbell was rung for, each time with what another connection could see then."""
    heard: list[set[str]] = []
    monkeypatch.setattr(runtime, "ring", heard.append)
    monkeypatch.setattr(runtime, "routes", {"thing.happened": ("audit.seal", "exchange.overdue"), "thing.ignored": ()})
    return heard


def everything(runtime: Runtime, *, fail: bool = False) -> None:
    with runtime.work(Actor("operator", "7", "r1")) as work:
        put_party(work, NewParty("hospital", "H1", "医院"))
        work.emit("thing.happened", uuid4(), amount=1)
        work.emit("thing.ignored", uuid4())
        work.later("audit.seal", None, run_at=work.now + timedelta(hours=1))
        if fail:
            raise RuntimeError("in the middle")


def test_row_tasks_events_and_audit_come_in_one_commit(runtime: Runtime, rung: list[set[str]]) -> None:
    everything(runtime)
    assert value(runtime, COUNTS) == "1/3/1"
    assert rung == [{"audit.seal", "exchange.overdue"}]
    who = "SELECT actor_kind || actor_id || request_id FROM audit_entry"
    assert value(runtime, who) == "operator7r1"


def test_nothing_is_left_of_what_failed(runtime: Runtime, rung: list[set[str]]) -> None:
    with pytest.raises(RuntimeError):
        everything(runtime, fail=True)
    assert value(runtime, COUNTS) == "0/0/0"
    assert rung == []


def test_what_comes_last_sees_all_else_written_and_undoes_it_when_it_fails(runtime: Runtime) -> None:
    seen: list[str] = []

    def last(work: Work) -> None:
        seen.append(str(work.session.scalar(text(COUNTS))))
        if len(seen) == 2:
            raise Conflict("too_late", "太晚了")

    for _ in range(2):
        with contextlib.suppress(Conflict), runtime.work() as work:
            work.at_last(partial(last, work))
            work.add(Party(kind="hospital", code=uuid4().hex, name="医院"))
            work.later("audit.seal", None)
            work.audit("thing.happen", "thing", uuid4())
    assert seen == ["1/1/1", "2/2/2"] and value(runtime, COUNTS) == "1/1/1"


def test_the_bell_is_rung_after_the_commit(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(runtime, "ring", lambda kinds: seen.append(value(runtime, "SELECT count(*) FROM task")))
    with runtime.work() as work:
        work.later("audit.seal", None)
    assert seen == [1]


def test_a_task_for_later_rings_nothing(runtime: Runtime, rung: list[set[str]]) -> None:
    with runtime.work() as work:
        work.later("audit.seal", None, run_at=work.now + timedelta(seconds=5))
    assert rung == []


def test_an_event_nobody_knows_is_a_fault(runtime: Runtime, rung: list[set[str]]) -> None:
    with pytest.raises(KeyError), runtime.work() as work:
        work.emit("thing.unheard_of", uuid4())


def test_a_connection_that_breaks_at_commit_leaves_the_outcome_open(
    runtime: Runtime, rung: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit: Callable[[Session], None] = Session.commit

    def cut(session: Session) -> None:
        own = session.scalar(text("SELECT pg_backend_pid()"))
        with runtime.read() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
        commit(session)

    monkeypatch.setattr(Session, "commit", cut)
    with pytest.raises(CommitUnknown):
        everything(runtime)
    assert rung == []


def test_a_sealed_field_is_read_with_a_trace(runtime: Runtime) -> None:
    row = Message(party_id=uuid4(), partner_id=uuid4(), type="x")
    with runtime.work() as work:
        work.seal(row, "data_sealed", "秘密")
        assert "秘密" not in row.data_sealed
        assert work.reveal(row, "data_sealed", "test") == "秘密"
    assert value(runtime, "SELECT action || (detail->>'why') FROM audit_entry") == "read.message.data_sealedtest"
    moved = Message(party_id=uuid4(), partner_id=uuid4(), type="x", data_sealed=row.data_sealed)
    with pytest.raises(Tampered), runtime.work() as work:
        work.reveal(moved, "data_sealed", "test")


def test_reading_sees_what_others_have_committed_meanwhile(runtime: Runtime) -> None:
    with runtime.read() as session:
        assert session.query(Party).count() == 0
        with runtime.work() as work:
            put_party(work, NewParty("hospital", "H1", "医院"))
        assert session.query(Party).count() == 1
