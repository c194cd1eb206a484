"""The mapping as data: entities, their fields, and how a record of the source becomes one row of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from hospital_agent.errors import BadValue
from hospital_agent.mapping import values

CATALOGUE = ("department", "doctor", "slot")
RECORD = ("visit", "diagnosis", "procedure", "report", "document", "bill", "fee_line", "e_bill")
PUSHED = CATALOGUE + RECORD
"""In the order of pushing: parents before children."""

_KEY = re.compile(r"[^\x00-\x1f\x7f]{1,120}")

Record = Mapping[Any, Any]
"""One record of the source by column name."""


@dataclass(frozen=True)
class Conventions:
    """What holds for a whole source."""

    zone: ZoneInfo
    money_unit: str
    encoding: str


@dataclass(frozen=True)
class FieldRule:
    """How one field is made: a constant, or columns (several are joined as a key is) read as one kind of value."""

    columns: tuple[str, ...] = ()
    kind: str = "text"
    places: int = 0
    codes: Mapping[str, Any] | None = None
    default: Any = None
    constant: Any = None

    def value(self, record: Record, conventions: Conventions) -> Any:
        """Raises BadValue."""
        if not self.columns:
            return self.constant
        if len(self.columns) > 1:
            return join_key(record, self.columns, conventions.encoding)
        raw = record[self.columns[0]]
        if self.codes is not None:
            return self._coded(values.to_text(raw, conventions.encoding))
        return self._converted(raw, conventions)

    def _coded(self, text: str | None) -> Any:
        assert self.codes is not None
        if (text or "") in self.codes:
            return self.codes[text or ""]
        if text is None or self.default is not None:
            return self.default
        raise BadValue("a code that is not in the code table")

    def _converted(self, raw: Any, conventions: Conventions) -> Any:
        match self.kind:
            case "time":
                return values.to_time(raw, conventions.zone)
            case "date":
                return values.to_date(raw, conventions.zone)
            case "fen":
                return values.to_fen(raw, conventions.money_unit)
            case "decimal":
                return values.to_places(raw, self.places)
            case "int":
                return values.to_int(raw)
            case "bool":
                return values.to_bool(raw)
        return values.to_text(raw, conventions.encoding)


@dataclass(frozen=True)
class Entity:
    """One entity of the source: a SELECT or a table, its key, and its fields, of which the `required` have a value in
    every row."""

    name: str
    sql: str
    table: str
    key: tuple[str, ...]
    fields: Mapping[str, FieldRule]
    patient: str | None = None
    changed: str | None = None
    business_date: str | None = None
    overlap_s: float = 60.0
    required: frozenset[str] = frozenset()

    def columns(self) -> list[str]:
        """Every column that is read, each once."""
        named = [c for rule in self.fields.values() for c in rule.columns]
        extra = [c for c in (self.patient, self.changed, self.business_date) if c]
        return list(dict.fromkeys([*self.key, *named, *extra]))

    def row_key(self, record: Record, conventions: Conventions) -> str:
        key = join_key(record, self.key, conventions.encoding)
        if not key:
            raise BadValue("a row without a key")
        if not _KEY.fullmatch(key):
            raise BadValue("a key that is too long or holds control characters")
        return key

    def data(self, record: Record, conventions: Conventions) -> dict[str, Any]:
        """Every field of the row. Raises BadValue whose text names the field."""
        data = {}
        for name, rule in self.fields.items():
            try:
                data[name] = rule.value(record, conventions)
            except BadValue as error:
                raise BadValue(f"{name}: {error}") from error
            if data[name] is None and name in self.required:
                raise BadValue(f"{name}: missing")
        return data


@dataclass(frozen=True)
class SourceMapping:
    """A whole mapping file."""

    name: str
    conventions: Conventions
    parameters: tuple[str, ...]
    entities: Mapping[str, Entity]
    ledger: Mapping[str, Entity] = field(default_factory=dict)

    def pushed(self) -> list[Entity]:
        """The entities that are pushed, parents first."""
        return [self.entities[name] for name in PUSHED if name in self.entities]


def join_key(record: Record, columns: tuple[str, ...], encoding: str) -> str | None:
    """The columns' text joined with "-", which is written "~1" within one of several (as in RFC 6901, "~" is "~0"): no
    two keys are joined to the same text. None when one is missing."""
    parts = [text for c in columns if (text := values.to_text(record[c], encoding)) is not None]
    if len(parts) < len(columns):
        return None
    return parts[0] if len(parts) == 1 else "-".join(p.replace("~", "~0").replace("-", "~1") for p in parts)


def split_key(value: Any, count: int) -> tuple[Any, ...] | None:
    """The parts of what was joined from `count` columns, None for another text; one column takes the value as it is.

    >>> split_key("B1-2", 2), split_key("a~1b-1", 2), split_key("a-b-1", 2)
    (('B1', '2'), ('a-b', '1'), None)
    """
    if count == 1:
        return (value,)
    parts = str(value).split("-")
    return tuple(p.replace("~1", "-").replace("~0", "~") for p in parts) if len(parts) == count else None


def batch_kind(entity: str) -> str:
    """The kind of batch that carries rows of an entity."""
    return "catalogue" if entity in CATALOGUE else "record"
