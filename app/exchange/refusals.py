"""Rows that were refused, until a later version of them is applied: then nothing is missing any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, Table, Text, bindparam, exists, func, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app.core.work import Work
from app.exchange.models import Batch, RefusedRow

MENDED = "mended"
Row = tuple[str, str]  # type and key

_TABLE = cast(Table, RefusedRow.__table__)
_ROWS = (
    func.unnest(bindparam("types", type_=ARRAY(Text)), bindparam("keys", type_=ARRAY(Text)))
    .table_valued("type", "key")
    .render_derived()
)
_Earlier = aliased(Batch)
_MINE = Batch.id == bindparam("batch")
_ANY_OPEN = select(
    exists().where(RefusedRow.party_id == Batch.party_id, RefusedRow.mended_by.is_(None))
).where(_MINE)  # fmt: skip
_MEND = (
    update(_TABLE)
    .where(_MINE, _TABLE.c.party_id == Batch.party_id, _TABLE.c.mended_by.is_(None))
    .where(_Earlier.id == _TABLE.c.batch_id, _Earlier.received_at < Batch.received_at)
    .where(tuple_(_TABLE.c.type, _TABLE.c.key).in_(select(_ROWS.c.type, _ROWS.c.key)))
    .values(mended_by=Batch.id)
)
_NOTE = (
    insert(_TABLE)
    .from_select(
        ["batch_id", "party_id", "type", "key"],
        select(Batch.id, Batch.party_id, _ROWS.c.type, _ROWS.c.key).join_from(Batch, _ROWS, true()).where(_MINE),
    )
    .on_conflict_do_nothing()
)


def any_open(session: Session, batch_id: UUID) -> bool:
    """Whether the sender of a batch has refused rows that are not mended."""
    return bool(session.scalar(_ANY_OPEN, {"batch": batch_id}))


def mend(work: Work, batch_id: UUID, applied: Collection[Row]) -> None:
    """What was refused earlier and is applied with this batch."""
    work.session.execute(_MEND, _given(batch_id, applied))


def note(work: Work, batch_id: UUID, refused: Collection[Row]) -> None:
    work.session.execute(_NOTE, _given(batch_id, refused))


def _given(batch_id: UUID, rows: Collection[Row]) -> dict[str, Any]:
    types, keys = zip(*rows, strict=True)
    return {"batch": batch_id, "types": list(types), "keys": list(keys)}


def mended(session: Session, party_ids: Collection[UUID], day: date | None = None) -> dict[UUID, int]:
    """How many refused rows of these parties have been mended; of a business date, or of all."""
    mine = select(RefusedRow.party_id, func.count()).where(
        RefusedRow.party_id.in_(party_ids), RefusedRow.mended_by.is_not(None)
    )
    if day is not None:
        mine = mine.join(Batch, Batch.id == RefusedRow.batch_id).where(Batch.business_date == day)
    found = session.execute(mine.group_by(RefusedRow.party_id))
    return defaultdict(int, [(row[0], row[1]) for row in found])
