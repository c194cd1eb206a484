"""What is stored already of a hospital's rows, by the hospital's own keys."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, any_, bindparam, func, select
from sqlalchemy.orm import Session

from app.record.rows import ROW_TYPES

# Stands in no row's key (exchange.contracts.Key): a parent's key that holds it is nobody's.
# One text is sent in a tenth of the time of an array.
_BETWEEN = "\x1f"
_MANY = 100


@dataclass(frozen=True)
class Known:
    """A row that is stored: its id, its version, and the row it hangs on."""

    id: UUID
    version: int
    parent_id: UUID | None = None


def known(session: Session, hospital_id: UUID, type_name: str, keys: Collection[str]) -> dict[str, Known]:
    """Those of these keys under which the hospital has a row. Whether any can be is seen by one look for many."""
    wanted = {"hospital": hospital_id, "keys": _BETWEEN.join(keys), "between": _BETWEEN}
    if not keys or (len(keys) > _MANY and not session.scalar(_in_their_range(type_name), wanted)):
        return {}
    return {key: Known(*rest) for key, *rest in session.execute(_stored(type_name), wanted)}


_KEYS = func.string_to_array(bindparam("keys", type_=Text), bindparam("between", type_=Text))


@cache
def _stored(type_name: str) -> Select[*tuple[Any, ...]]:
    """key, id, version and, where there is one, parent of a hospital's rows with these keys."""
    row_type = ROW_TYPES[type_name]
    table = row_type.model.__table__
    parent = [table.c[f"{row_type.parent_type}_id"]] if row_type.parent_type else []
    mine = table.c.hospital_id == bindparam("hospital"), table.c.key == any_(_KEYS)
    return select(table.c.key, table.c.id, table.c.version, *parent).where(*mine)


@cache
def _in_their_range(type_name: str) -> Select[*tuple[Any, ...]]:
    """True if the hospital has a row whose key is not outside of all these; one look into the index. Hospitals count:
    what is new lies behind what is there."""
    table = ROW_TYPES[type_name].model.__table__
    pushed = select(func.unnest(_KEYS).label("key")).subquery()
    first, last = (select(end(pushed.c.key)).scalar_subquery() for end in (func.min, func.max))
    mine = table.c.hospital_id == bindparam("hospital"), table.c.key >= first
    return select(table.c.key <= last).where(*mine).order_by(table.c.key).limit(1)
