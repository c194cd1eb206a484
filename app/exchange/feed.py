"""The change feed: what a party may read, in an order that a late commit cannot disturb.

A row gets its cursor when it is first read, under the party's lock: whoever has read up to a cursor has seen every row
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.work import Work
from app.exchange import wake
from app.exchange.models import Change, Partner, Party
from app.exchange.programs import Signer


@dataclass(frozen=True)
class FeedItem:
    cursor: int
    type: str
    data: dict[str, Any]


def publish(work: Work, party_id: UUID, type: str, data: dict[str, Any]) -> None:
    """Put a change into the party's feed and wake whoever waits for it."""
    row = Change(party_id=party_id, type=type)
    row.data_sealed = work.privacy.seal_json(data, f"change:data_sealed:{row.id}")
    work.add(row)
    work.audit("change.publish", "change", row.id, type=type)
    wake.party(work, party_id)


def anything_behind(session: Session, signer: Signer, cursor: int | None) -> bool:
    """Whether a reading would find something."""
    behind = acked(session, signer.partner_id) if cursor is None else cursor
    fresh = (Change.party_id == signer.party_id) & (Change.cursor.is_(None) | (Change.cursor > behind))
    return session.scalar(select(Change.id).where(fresh).limit(1)) is not None


def changes(work: Work, signer: Signer, cursor: int | None, most: int) -> list[FeedItem]:
    """Changes behind `cursor`, or behind what this program acknowledged; each reading is audited."""
    number_new(work.session, Change, signer.party_id, (Change.party_id == signer.party_id,))
    behind = acked(work.session, signer.partner_id) if cursor is None else cursor
    rows = work.session.scalars(
        select(Change)
        .where(Change.party_id == signer.party_id, Change.cursor > behind)
        .order_by(Change.cursor)
        .limit(most)
    ).all()
    for row in rows:
        work.audit("read.change.data_sealed", "change", row.id, why="partner")
    return [_item(work, row) for row in rows]


def acknowledge(work: Work, signer: Signer, cursor: int) -> int:
    """Remember how far the program has read; it never goes back. Invalid for a cursor that was never given."""
    last = work.session.scalar(select(func.max(Change.cursor)).where(Change.party_id == signer.party_id)) or 0
    if cursor > last:
        raise Invalid("cursor_unknown", "没有发放过这个位置", fields={"cursor": "数值太大"})
    known = func.greatest(Partner.acked_cursor, cursor)
    mine = update(Partner).where(Partner.id == signer.partner_id).values(acked_cursor=known)
    work.audit("change.acknowledge", "partner", signer.partner_id, cursor=cursor)
    return work.session.execute(mine.returning(Partner.acked_cursor)).scalar_one()


def acked(session: Session, partner_id: UUID) -> int:
    return session.scalar(select(Partner.acked_cursor).where(Partner.id == partner_id)) or 0


def number_new(session: Session, model: Any, party_id: UUID, visible: Sequence[Any]) -> None:
    """Give the next cursors to the party's rows that have none, oldest first, one reader at a time."""
    session.execute(select(Party.id).where(Party.id == party_id).with_for_update(key_share=True))
    last = select(func.coalesce(func.max(model.cursor), 0)).where(model.party_id == party_id).scalar_subquery()
    place = func.row_number().over(order_by=model.number)
    fresh = select(model.id, (last + place).label("cursor")).where(*visible, model.cursor.is_(None)).subquery()
    session.execute(
        update(model)
        .where(model.id == fresh.c.id)
        .values(cursor=fresh.c.cursor)
        .execution_options(synchronize_session=False)
    )


def _item(work: Work, row: Change) -> FeedItem:
    assert row.cursor is not None
    return FeedItem(row.cursor, row.type, work.privacy.open_json(row.data_sealed, f"change:data_sealed:{row.id}"))
