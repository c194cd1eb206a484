"""The one place where a status changes: compare-and-set over a set of rows, with one audit entry for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ClauseElement, Table, TextClause, any_, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from app.core.columns import add_rows
from app.core.db import Checked, Ids, Row
from app.core.errors import LostRace
from app.core.work import AuditFact, Work

State = TypeVar("State", bound=StrEnum)


class Stateful(Row):
    """Columns of a row with a state machine. `status_since` says how long it has been waiting."""

    status: Mapped[str] = mapped_column(index=True)
    status_since: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


@dataclass(frozen=True)
class Moved:
    id: UUID
    old: str
    new: str


@lru_cache(maxsize=64)
def _insert_once(table: Table, unless: tuple[str, ...], among: TextClause | None) -> ReturningInsert[Any]:
    """Made once, as are the moves."""
    return insert(table).on_conflict_do_nothing(index_elements=unless, index_where=among).returning(table.c.id)


class Machine(Generic[State]):
    """The table (state, event) -> state of one kind of row. Whatever is not in the table is refused."""

    def __init__(self, name: str, model: type[Any], table: Mapping[tuple[State, str], State]) -> None:
        self.name, self.model, self.table = name, model, dict(table)
        self._statements: dict[Any, ReturningUpdate[Any]] = {}

    @property
    def events(self) -> set[str]:
        return {event for _, event in self.table}

    def target(self, state: State, event: str) -> State | None:
        return self.table.get((state, event))

    def start(self, work: Work, row: Any, state: State) -> None:
        """Give a new row its first state and note it."""
        row.status, row.status_since = state.value, work.now
        work.add(row)
        work.audit_fact(AuditFact(f"{self.name}.start", row.__tablename__, (row.id,), None, state.value))

    def start_once(
        self, work: Work, row: Any, state: State, *, unless: Sequence[str], among: TextClause | None = None
    ) -> bool:
        """As `start`, but only if no row has the same values in the unique columns `unless`: False where one has. Two
        transactions that try at once wait for each other, and one of them starts the row. `among` is the condition of
        the index where that is a partial one."""
        if isinstance(row, Checked):
            raise ValueError(f"{self.name}: the check field is written by the ORM only")
        row.status, row.status_since = state.value, work.now
        columns = {attribute.key for attribute in row.__mapper__.column_attrs}
        given = {name: value for name, value in row.__dict__.items() if name in columns}
        insertion = _insert_once(self.model.__table__, tuple(unless), among)  # the ORM's takes three times as long
        if work.session.connection().scalar(insertion, given) is None:
            return False
        work.audit_fact(AuditFact(f"{self.name}.start", row.__tablename__, (row.id,), None, state.value))
        return True

    def start_many(
        self, work: Work, rows: Sequence[Mapping[str, Any]], state: State, *, same: Mapping[str, Any] | None = None
    ) -> None:
        """As `start`, for many rows at once, given as columns (`id` among them; in `same` what is so in all of them)
        and not through the ORM: what only Python has a default for must be given."""
        if issubclass(self.model, Checked):
            raise ValueError(f"{self.name}: the check field is written by the ORM only")
        table = self.model.__table__
        work.session.flush()  # whatever they point to
        begun = {"status": state.value, "status_since": work.now}
        add_rows(work.session, table, rows, same={**(same or {}), **begun})
        ids = [row["id"] for row in rows]
        work.audit_fact(AuditFact(f"{self.name}.start", table.name, ids, None, state.value))

    def move(
        self,
        work: Work,
        ids: Collection[UUID],
        event: str,
        *,
        values: Mapping[str, Any] | None = None,
        lenient: bool = False,
        **detail: Any,
    ) -> list[Moved]:
        """Move every row of `ids` by `event` in one UPDATE, setting further columns with `values`.

        Raises LostRace naming the rows whose state does not allow the event; with `lenient` they are left as they are
        (for messages that may come twice or late) and only what moved is returned.
        """
        self._refuse_checked(values or {})
        steps = {old.value: new.value for (old, e), new in self.table.items() if e == event}
        if not steps:
            raise ValueError(f"{self.name} has no event {event}")
        work.session.flush()
        moved = self._update(work, ids, steps, values or {})
        if not lenient and len(moved) < len(ids) and (missing := set(ids) - {m.id for m in moved}):
            raise LostRace(self.name, event, missing)
        for old, new in steps.items():
            mine = [m.id for m in moved if m.old == old]
            work.audit_fact(AuditFact(f"{self.name}.{event}", self.model.__tablename__, mine, old, new, detail))
        self._forget(work.session, moved)
        return moved

    def _update(
        self, work: Work, ids: Iterable[UUID], steps: Mapping[str, str], values: Mapping[str, Any]
    ) -> list[Moved]:
        computed = {name: value for name, value in values.items() if isinstance(value, ClauseElement)}
        given = {name: value for name, value in values.items() if name not in computed}
        statement = self._statement(tuple(steps.items()), tuple(given))
        if computed:
            statement = statement.values(computed)
        parameters = {"ids": list(ids), "now": work.now, **{f"to_{name}": value for name, value in given.items()}}
        return [Moved(*row) for row in work.session.execute(statement, parameters)]

    def _statement(self, steps: tuple[tuple[str, str], ...], columns: tuple[str, ...]) -> ReturningUpdate[Any]:
        """Made once for each event: making it takes longer than what the database does with it."""
        if (steps, columns) not in self._statements:
            table = self.model.__table__
            among = table.c.id == any_(bindparam("ids", type_=Ids()))
            # Locked in the order of their ids, so that two overlapping moves cannot deadlock.
            old = (
                select(table.c.id, table.c.status)
                .where(among)
                .where(table.c.status.in_([status for status, _ in steps]))
                .order_by(table.c.id)
                .with_for_update()
                .subquery()
            )
            self._statements[steps, columns] = (
                update(table)
                .where(table.c.id == old.c.id, among)  # said twice, or the planner may read the whole table
                .values(status=case(dict(steps), value=old.c.status), status_since=bindparam("now"))
                .values({name: bindparam(f"to_{name}", type_=table.c[name].type) for name in columns})
                .returning(table.c.id, old.c.status, table.c.status)
            )
        return self._statements[steps, columns]

    def _refuse_checked(self, values: Mapping[str, Any]) -> None:
        """A bulk UPDATE cannot recompute a check field, so the columns under it do not change here."""
        if issubclass(self.model, Checked) and set(values) & set(self.model.check_over):
            raise ValueError(f"{self.name}: columns under the check field change through the ORM only")

    def _forget(self, session: Session, moved: Sequence[Moved]) -> None:
        """Loaded rows must not show the old state."""
        if loaded := [row for row in session.identity_map.values() if isinstance(row, self.model)]:
            ids = {m.id for m in moved}
            for row in loaded:
                if row.id in ids:
                    session.expire(row)
