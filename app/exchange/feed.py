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
from app.exchange.models import Change, Partner, Party
from app.exchange.programs import Signer

# An answer that is this large gets no further change: packages hold documents.
FULL_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class FeedItem:
    cursor: int
    type: str
    data: dict[str, Any]


def last_cursor(session: Session, party_id: UUID) -> int:
    """The last one that was given, 0 before the first."""
    return session.scalar(select(func.max(Change.cursor)).where(Change.party_id == party_id)) or 0


def anything_behind(session: Session, signer: Signer, cursor: int | None) -> bool:
    """Whether a reading would find something."""
    behind = acked(session, signer.partner_id) if cursor is None else cursor
    fresh = (Change.party_id == signer.party_id) & (Change.cursor.is_(None) | (Change.cursor > behind))
    return session.scalar(select(Change.id).where(fresh).limit(1)) is not None


def changes(work: Work, signer: Signer, cursor: int | None, most: int) -> list[FeedItem]:
    """Changes behind `cursor`, or behind what this program acknowledged, as many as fit into an answer; each reading is
    audited."""
    number_new(work.session, Change, signer.party_id, (Change.party_id == signer.party_id,))
    behind = acked(work.session, signer.partner_id) if cursor is None else cursor
    size = func.octet_length(Change.data_sealed)
    before = func.coalesce(func.sum(size).over(order_by=Change.cursor, rows=(None, -1)), 0).label("before")
    next_ones = select(Change.id, before).where(Change.party_id == signer.party_id, Change.cursor > behind)
    fits = next_ones.order_by(Change.cursor).limit(most).subquery()
    rows = work.session.scalars(
        select(Change).join(fits, fits.c.id == Change.id).where(fits.c.before < FULL_BYTES).order_by(Change.cursor)
    ).all()
    for row in rows:
        work.audit("read.change.data_sealed", "change", row.id, why="partner")
    return [item(work, row) for row in rows]


def acknowledge(work: Work, signer: Signer, cursor: int) -> int:
    """Remember how far the program has read; it never goes back. Invalid for a cursor that was never given."""
    if cursor > last_cursor(work.session, signer.party_id):
        raise Invalid("cursor_unknown", "没有发放过这个位置", fields={"cursor": "数值太大"})
    known = func.greatest(Partner.acked_cursor, cursor)
    mine = update(Partner).where(Partner.id == signer.partner_id).values(acked_cursor=known)
    work.audit("change.acknowledge", "partner", signer.partner_id, cursor=cursor)
    return work.session.execute(mine.returning(Partner.acked_cursor)).scalar_one()


def acked(session: Session, partner_id: UUID) -> int:
    return session.scalar(select(Partner.acked_cursor).where(Partner.id == partner_id)) or 0


def number_new(session: Session, model: Any, party_id: UUID, visible: Sequence[Any]) -> None:
    """Give the next cursors to the party's rows that have none, oldest first, one reader at a time."""
    lock_party(session, party_id)
    last = select(func.coalesce(func.max(model.cursor), 0)).where(model.party_id == party_id).scalar_subquery()
    place = func.row_number().over(order_by=model.number)
    fresh = select(model.id, (last + place).label("cursor")).where(*visible, model.cursor.is_(None)).subquery()
    session.execute(
        update(model)
        .where(model.id == fresh.c.id)
        .values(cursor=fresh.c.cursor)
        .execution_options(synchronize_session=False)
    )


def lock_party(session: Session, party_id: UUID) -> None:
    """One at a time of those that number, or look for, rows of this party."""
    session.execute(select(Party.id).where(Party.id == party_id).with_for_update(key_share=True))


def item(work: Work, row: Change) -> FeedItem:
    """A change that has its cursor, as it is read and as it is pushed."""
    assert row.cursor is not None
    return FeedItem(row.cursor, row.type, work.privacy.open_json(row.data_sealed, f"change:data_sealed:{row.id}"))
