"""Records of the source: the SELECTs that a mapping stands for, and their rows in our form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import NullType

from hospital_agent.batch import Row
from hospital_agent.errors import BadValue
from hospital_agent.mapping.model import Entity, Record, SourceMapping

PARTITION = 2_000


@dataclass
class Reading:
    """What a reading gave: rows in our form, and those that cannot be sent as (type, key, reason)."""

    rows: list[Row] = field(default_factory=list)
    bad: list[tuple[str, str, str]] = field(default_factory=list)


class Records:
    """SELECTs over one connection. The mapping's own SQL is wrapped, so that every dialect can filter and order it."""

    def __init__(self, connection: Connection, mapping: SourceMapping, parameters: Mapping[str, Any]) -> None:
        self._connection = connection
        self._mapping = mapping
        self._parameters = {name: parameters.get(name) for name in mapping.parameters}

    def changed_since(self, entity: Entity, since: Any) -> Iterator[Sequence[Record]]:
        """Partitions of what changed at or after `since` (None: everything), oldest change first."""
        source = _source(entity)
        statement = sa.select(source)
        if entity.changed:
            changed = source.c[entity.changed]
            if since is not None:
                statement = statement.where(sa.or_(changed >= _bind(since), changed.is_(None)))
            statement = statement.order_by(changed, *(source.c[k] for k in entity.key))
        return self._partitions(statement)

    def after_key(self, entity: Entity, last: Sequence[Any] | None, limit: int) -> Iterator[Sequence[Record]]:
        """Partitions of the next `limit` records in the order of the key, after the key `last`."""
        source = _source(entity)
        keys = [source.c[k] for k in entity.key]
        statement = sa.select(source).order_by(*keys).limit(limit)
        if last is not None:
            statement = statement.where(_greater(keys, last))
        return self._partitions(statement)

    def of_patient(self, entity: Entity, patient_no: str, limit: int) -> Sequence[Record]:
        """The newest `limit` records of one patient."""
        assert entity.patient is not None
        source = _source(entity)
        statement = sa.select(source).where(source.c[entity.patient] == _bind(patient_no)).limit(limit)
        if entity.changed:
            statement = statement.order_by(source.c[entity.changed].desc())
        return self._all(statement)

    def where(self, entity: Entity, columns: Sequence[str], values: Sequence[Any]) -> Sequence[Record]:
        """Records whose column (or columns joined with "-") is one of `values`."""
        source = _source(entity)
        joined = _joined([source.c[c] for c in columns])
        found: list[Record] = []
        for start in range(0, len(values), 500):
            chunk = [_bind(v) for v in values[start : start + 500]]
            found.extend(self._all(sa.select(source).where(joined.in_(chunk))))
        return found

    def _all(self, statement: sa.Select[Any]) -> Sequence[Record]:
        return self._connection.execute(statement, self._parameters).mappings().all()

    def _partitions(self, statement: sa.Select[Any]) -> Iterator[Sequence[Record]]:
        options = {"stream_results": True, "yield_per": PARTITION}
        result = self._connection.execute(statement, self._parameters, execution_options=options)
        return iter(result.mappings().partitions(PARTITION))


def read_rows(mapping: SourceMapping, entity: Entity, records: Iterable[Record], into: Reading) -> None:
    """Add the records to `into` as rows of ours. What cannot be read, or repeats a key, is bad and not sent."""
    seen: set[str] = set()
    for record in records:
        key = "?"
        try:
            key = entity.row_key(record, mapping.conventions)
            if key in seen:
                raise BadValue("a second row with the same key")
            data = entity.data(record, mapping.conventions)
        except BadValue as error:
            into.bad.append((entity.name, key, str(error)))
            continue
        seen.add(key)
        into.rows.append(Row(entity.name, key, data))


def key_values(entity: Entity, record: Record) -> list[Any]:
    """The key of a record as JSON values; other types as their text, which the database reads back as its own."""
    return [v if isinstance(v, str | int) else str(v) for v in (record[k] for k in entity.key)]


def _source(entity: Entity) -> sa.FromClause:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in entity.columns()]
    if entity.sql:
        return sa.text(entity.sql).columns(*columns).subquery("s")
    schema, _, table = entity.table.rpartition(".")
    return sa.table(table, *columns, schema=schema or None).alias("s")


def _bind(value: Any) -> ColumnElement[Any]:
    """A bind without a type of ours: the database compares it as the column's own type, so that an index serves."""
    return sa.bindparam(None, value, type_=NullType(), unique=True)


def _joined(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    if len(columns) == 1:
        return columns[0]
    text: ColumnElement[Any] = sa.cast(columns[0], sa.String)
    for column in columns[1:]:
        text = text + "-" + sa.cast(column, sa.String)
    return text


def _greater(columns: Sequence[ColumnElement[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """(a, b) > (x, y) spelt out, since not every dialect compares tuples."""
    clauses = []
    for i, column in enumerate(columns):
        equal = [columns[j] == _bind(last[j]) for j in range(i)]
        clauses.append(sa.and_(*equal, column > _bind(last[i])))
    return sa.or_(*clauses)
