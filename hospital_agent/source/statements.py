"""The SELECTs that a mapping stands for. The mapping's own SQL is wrapped, so that every dialect can filter and order
it; columns are compared one by one with plain values, so that an index serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import NullType

from hospital_agent.mapping.model import Entity

CHUNK = 200
"""Keys in one statement: SQL Server takes 2,100 parameters, and Oracle lists of 1,000."""

ALIAS = "s"
"""What an entity's table or SQL is called in its statements."""


def changed_since(entity: Entity, since: Any, *, unmarked: bool = True) -> sa.Select[Any]:
    """What changed at or after `since` (None: everything), oldest change first.

    `unmarked` rows have no time of change; looking for them may read the whole table, since Oracle indexes no NULL.
    """
    source = _source(entity)
    statement = sa.select(source)
    if entity.changed:
        changed = source.c[entity.changed]
        if since is not None:
            newer = changed >= _bind(since)
            statement = statement.where(sa.or_(newer, changed.is_(None)) if unmarked else newer)
        statement = statement.order_by(changed, *(source.c[k] for k in entity.key))
    return statement


def after_key(entity: Entity, last: Sequence[Any] | None, limit: int) -> sa.Select[Any]:
    """The next `limit` records in the order of the key, after the key `last`."""
    source = _source(entity)
    keys = [source.c[k] for k in entity.key]
    statement = sa.select(source).order_by(*keys).limit(limit)
    return statement if last is None else statement.where(_greater(keys, last))


def of_patient(entity: Entity, patient_no: str) -> sa.Select[Any]:
    """One patient's records, newest first; without a high-water column by descending key."""
    assert entity.patient is not None
    source = _source(entity)
    order = [source.c[name].desc() for name in ([entity.changed] if entity.changed else []) + list(entity.key)]
    return sa.select(source).where(source.c[entity.patient] == _bind(patient_no)).order_by(*order)


def where(entity: Entity, columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> sa.Select[Any]:
    """Records whose columns hold, one by one, the values of one of `keys`."""
    source = _source(entity)
    named = [source.c[c] for c in columns]
    if len(named) == 1:
        return sa.select(source).where(named[0].in_([_bind(key[0]) for key in keys]))
    equal = [sa.and_(*(c == _bind(v) for c, v in zip(named, key, strict=True))) for key in keys]
    return sa.select(source).where(sa.or_(*equal))


def of_day(entity: Entity, span: tuple[Any, Any], key: Sequence[Any] = ()) -> sa.Select[Any]:
    """Records whose business date lies in `span`, the end left out; with a `key` that one only."""
    source = _source(entity)
    day = _day_of(entity, source)
    equal = [source.c[k] == _bind(v) for k, v in zip(entity.key, key, strict=False)]
    return sa.select(source).where(day >= _bind(span[0]), day < _bind(span[1]), *equal)


def newest_day(entity: Entity) -> sa.Select[Any]:
    """The last business date there is: how the column tells a day. Of texts the empty one comes first."""
    day = _day_of(entity, _source(entity))
    return sa.select(day).where(day.is_not(None)).order_by(day.desc()).limit(1)


def _day_of(entity: Entity, source: sa.FromClause) -> ColumnElement[Any]:
    assert entity.business_date is not None
    return source.c[entity.business_date]


def _source(entity: Entity) -> sa.FromClause:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in entity.columns()]
    if entity.sql:
        return sa.text(entity.sql).columns(*columns).subquery(ALIAS)
    schema, _, table = entity.table.rpartition(".")
    return sa.table(table, *columns, schema=schema or None).alias(ALIAS)


def _bind(value: Any) -> ColumnElement[Any]:
    """A bind without a type of ours: the database compares it as the column's own type, so that an index serves.

    SQL Server would read every text as NVARCHAR and turn the column of a VARCHAR index into that, row by row.
    """
    plain = NullType()
    type_ = plain.with_variant(sa.String(), "mssql") if isinstance(value, str) else plain
    return sa.bindparam(None, value, type_=type_, unique=True)


def _greater(columns: Sequence[ColumnElement[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """(a, b) > (x, y) spelt out, since not every dialect compares tuples."""
    clauses = []
    for i, column in enumerate(columns):
        equal = [columns[j] == _bind(last[j]) for j in range(i)]
        clauses.append(sa.and_(*equal, column > _bind(last[i])))
    return sa.or_(*clauses)
