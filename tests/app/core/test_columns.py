"""Rows added in bulk are the rows that were given, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import Table, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.audit.models import AuditEntry
from app.core import columns
from app.core.tasks import Task
from app.core.work import Runtime
from tests.app.kit import run

TASK = cast(Table, Task.__table__)
NASTY = ["a\tb", "a\nb", "a\\nb", "\\N", "\\.", "a\rb", "", "张三·李", '{"quoted"}', "\\"]


def rows(count: int) -> list[dict[str, Any]]:
    at = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
    return [
        {
            "kind": f"{number}:{NASTY[number % len(NASTY)]}",
            "subject": uuid4() if number % 2 else None,
            "args": {"text": NASTY[number % len(NASTY)], "no": [number, None, True]} if number % 3 else {},
            "run_at": at,
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, columns.FEW - 1, columns.FEW, 40])
def test_what_was_given_is_found_in_its_order(runtime: Runtime, count: int) -> None:
    given = rows(count)
    with runtime.work() as work:
        columns.add_rows(work.session, TASK, given)
    names = [TASK.c[name] for name in ("kind", "subject", "args", "run_at")]
    with runtime.read() as session:
        found = [dict(row._mapping) for row in session.execute(select(*names).order_by(TASK.c.id))]
    assert found == given


@pytest.mark.parametrize("count", [1, columns.FEW])
def test_what_rows_have_in_common_is_given_once(runtime: Runtime, count: int) -> None:
    kinds = [*NASTY, "plain"]
    groups = [
        columns.Group([{"subject": uuid4()} for _ in range(count)], {"kind": kind, "args": {"text": kind}})
        for kind in kinds
    ]
    with runtime.work() as work:
        columns.add_groups(work.session, TASK, [*groups, columns.Group([], {"kind": "nobody", "args": {}})])
        columns.add_rows(work.session, TASK, [{"subject": None}], same={"kind": "alone", "args": {}})
    given = [
        (row["subject"], kind, {"text": kind}) for kind, one in zip(kinds, groups, strict=True) for row in one.rows
    ]
    with runtime.read() as session:
        found = session.execute(select(TASK.c.subject, TASK.c.kind, TASK.c.args).order_by(TASK.c.id)).all()
    assert [tuple(row) for row in found] == [*given, (None, "alone", {})]


def test_groups_of_different_columns_are_refused(runtime: Runtime) -> None:
    groups = [columns.Group(rows(9)), columns.Group(rows(9), {"tries": 1})]
    with runtime.work() as work, pytest.raises(ValueError, match="different columns"):
        columns.add_groups(work.session, TASK, groups)


def test_rows_of_different_columns_are_refused(runtime: Runtime) -> None:
    given = rows(20)
    del given[7]["run_at"]
    with runtime.work() as work, pytest.raises(ValueError, match="different columns"):
        columns.add_rows(work.session, TASK, given)


def test_parts_are_added_one_behind_the_other(runtime: Runtime) -> None:
    given = rows(7)
    parts = [{name: [row[name] for row in given[start : start + 3]] for name in given[0]} for start in (0, 3, 6)]
    with runtime.work() as work:
        columns.add_parts(work.session, TASK, [])
        columns.add_parts(work.session, TASK, iter(parts))
    with runtime.read() as session:
        found = session.scalars(select(TASK.c.kind).order_by(TASK.c.id)).all()
    assert found == [row["kind"] for row in given]


def test_a_value_may_be_given_as_the_text_that_is_read(runtime: Runtime) -> None:
    at, subject = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), uuid4()
    part: dict[str, list[Any]] = {
        "kind": ["x"],
        "subject": [str(subject)],
        "args": [{}],
        "run_at": ["2026-11-22T09:02:03+08:00"],
    }
    with runtime.work() as work:
        columns.add_parts(work.session, TASK, [part])
    with runtime.read() as session:
        assert session.execute(select(TASK.c.subject, TASK.c.run_at)).one() == (subject, at)


def test_a_taken_key_is_an_error(runtime: Runtime) -> None:
    table = cast(Table, AuditEntry.__table__)
    given = [
        {"actor_kind": "system", "actor_id": "x", "request_id": "", "action": "a", "subject_type": "t",
         "subject_id": uuid4(), "detail": {}, "seq": number % 15}
        for number in range(20)
    ]  # fmt: skip
    with pytest.raises(IntegrityError), runtime.work() as work:
        columns.add_rows(work.session, table, given)


def test_a_lost_connection_is_told_as_of_any_statement(runtime: Runtime) -> None:
    with pytest.raises(OperationalError) as told, runtime.work() as work:
        own = work.session.scalar(text("SELECT pg_backend_pid()"))
        run(runtime, "SELECT pg_terminate_backend(:pid, 5000)", pid=own)
        columns.add_rows(work.session, TASK, rows(20))
    assert told.value.connection_invalidated
    with runtime.work() as work:
        columns.add_rows(work.session, TASK, rows(20))


@pytest.mark.parametrize("value", [b"x", ["x"], {"x": 1}])
def test_what_would_be_written_wrongly_is_refused(runtime: Runtime, value: object) -> None:
    with runtime.work() as work, pytest.raises(TypeError):
        columns.add_rows(work.session, TASK, [row | {"kind": value} for row in rows(20)])
