"""Records of the source, read by the SELECTs that a mapping stands for, and their rows in our form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from hospital_agent.batch import Row
from hospital_agent.errors import BadValue
from hospital_agent.mapping.model import Entity, Record, SourceMapping, split_key
from hospital_agent.mapping.values import day_span
from hospital_agent.source import statements

PARTITION = 2_000


@dataclass
class Reading:
    """What a reading gave: rows in our form, and those that cannot be sent as (type, key, reason)."""

    rows: list[Row] = field(default_factory=list)
    bad: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Budget:
    """The rows that a reading may still take. `cut`: it was not enough, or may just have been."""

    left: int
    cut: bool = False

    def take(self, count: int, limit: int) -> None:
        self.left -= count
        self.cut = self.cut or count == limit


class Records:
    """SELECTs over one connection. With a `budget` no more rows than that are asked of the source, over all of them."""

    def __init__(
        self,
        connection: Connection,
        mapping: SourceMapping,
        parameters: Mapping[str, Any],
        budget: Budget | None = None,
    ) -> None:
        self.connection = connection
        self.parameters = {name: parameters.get(name) for name in mapping.parameters}
        self._zone = mapping.conventions.zone
        self._budget = budget

    def changed_since(self, entity: Entity, since: Any, *, unmarked: bool = True) -> Iterator[Sequence[Record]]:
        """Partitions of what changed at or after `since` (None: everything), and of what is `unmarked`."""
        return self._partitions(statements.changed_since(entity, since, unmarked=unmarked))

    def after_key(self, entity: Entity, last: Sequence[Any] | None, limit: int) -> Iterator[Sequence[Record]]:
        """Partitions of the next `limit` records in the order of the key, after the key `last`."""
        return self._partitions(statements.after_key(entity, last, limit))

    def of_patient(self, entity: Entity, patient_no: str, among: int = 1) -> Sequence[Record]:
        """The newest records of one patient: of what the budget has left the part of one entity `among` so many."""
        return self._all(statements.of_patient(entity, patient_no), among)

    def where(self, entity: Entity, columns: Sequence[str], values: Sequence[Any]) -> Sequence[Record]:
        """Records whose column (or columns joined as a key is) is one of `values`."""
        keys = [key for value in values if (key := split_key(value, len(columns))) is not None]
        found: list[Record] = []
        for start in range(0, len(keys), statements.CHUNK):
            found.extend(self._all(statements.where(entity, columns, keys[start : start + statements.CHUNK])))
        return found

    def of_day(self, entity: Entity, day: date, key: Sequence[Any] = ()) -> Sequence[Record]:
        """Records of a business date, with a `key` that one only. The column's newest value shows in which form it
        tells a day; raises BadValue where it tells none."""
        like = self.connection.execute(statements.newest_day(entity), self.parameters).scalar()
        if like is None:
            return []
        span = day_span(day, like, self._zone)
        return self._all(statements.of_day(entity, span, key))

    def _all(self, statement: sa.Select[Any], among: int = 1) -> Sequence[Record]:
        if self._budget is None:
            return self.connection.execute(statement, self.parameters).mappings().all()
        limit = -(-self._budget.left // among)
        if limit <= 0:
            self._budget.cut = True
            return []
        found = self.connection.execute(statement.limit(limit), self.parameters).mappings().all()
        self._budget.take(len(found), limit)
        return found

    def _partitions(self, statement: sa.Select[Any]) -> Iterator[Sequence[Record]]:
        options = {"stream_results": True, "yield_per": PARTITION}
        result = self.connection.execute(statement, self.parameters, execution_options=options)
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
