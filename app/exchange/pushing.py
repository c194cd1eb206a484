"""The change feed, sent to a party that wants it so: in the order of the feed, one at a time, each until it is taken.

A party with `push_url` in its configuration gets each change as a signed POST of what it would read from the feed; the
message id is the change's own. Where it stands is a cursor, which may be put back: then everything behind it is sent
again, under the same ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core import dead_tasks
from app.core.errors import Invalid, NotFound, TryLater
from app.core.work import Work
from app.exchange import feed
from app.exchange.models import Change, Partner, Party, Push
from app.exchange.parties import Endpoint, endpoint, party

KIND = "exchange.push"
ADDRESS = "push_url"
# A worker that dies while it sends is waited for so long; longer than any call takes.
HOLD = timedelta(seconds=30)
BUSY_PAUSE_S = 1.0


@dataclass(frozen=True)
class Due:
    """The next change for a party. `before` is where its cursor stood when this was taken into work."""

    at: Endpoint
    change_id: UUID
    before: int
    body: dict[str, Any]


@dataclass(frozen=True)
class PushState:
    """How far a party's pushes are, and how far its feed is."""

    party_id: UUID
    cursor: int
    last_cursor: int
    waiting: int


def wanted(work: Work, party_id: UUID) -> None:
    """Something new is in the feed: one task sends it with all that waits, if none does so already. One that is dead
    waits for a person, and what is new waits with it."""
    done = work.session.info.setdefault("exchange.pushed", set())
    if party_id in done:
        return
    done.add(party_id)
    if party(work.session, party_id).config.get(ADDRESS) and not dead_tasks.stands(work.session, KIND, party_id):
        work.later(KIND, party_id)


def begin(work: Work, party_id: UUID) -> Due | None:
    """The next change, held until `taken` or `released`. None if there is none, or nobody wants it; TryLater while
    another worker sends."""
    if not party(work.session, party_id).config.get(ADDRESS):
        return None
    cursor = _hold(work, party_id)
    feed.number_new(work.session, Change, party_id, (Change.party_id == party_id,))
    behind = select(Change).where(Change.party_id == party_id, Change.cursor > cursor)
    row = work.session.scalars(behind.order_by(Change.cursor).limit(1)).one_or_none()
    if row is None:
        released(work, party_id)
        return None
    work.audit("read.change.data_sealed", "change", row.id, why="push")
    at = endpoint(work.session, work.privacy, party_id, ADDRESS)
    return Due(at, row.id, cursor, vars(feed.item(work, row)))


def taken(work: Work, party_id: UUID, due: Due) -> None:
    """The party has it. A cursor that was put elsewhere meanwhile stays there."""
    mine = update(Push).where(Push.party_id == party_id, Push.cursor == due.before)
    work.session.execute(mine.values(cursor=due.body["cursor"]))
    released(work, party_id)
    work.audit("change.push", "change", due.change_id)


def released(work: Work, party_id: UUID) -> None:
    work.session.execute(update(Push).where(Push.party_id == party_id).values(busy_until=None))


def push_again(work: Work, party_id: UUID, cursor: int) -> None:
    """Send everything behind `cursor`, be it further back or further on than what was sent. NotFound for a party that
    gets no pushes, Invalid for a cursor that was never given."""
    if not party(work.session, party_id).config.get(ADDRESS):
        raise NotFound("no_pushes", "该机构没有启用推送")
    if cursor > feed.last_cursor(work.session, party_id):
        raise Invalid("cursor_unknown", "没有发放过这个位置", fields={"cursor": "数值太大"})
    _begin_stream(work, party_id)
    work.session.execute(update(Push).where(Push.party_id == party_id).values(cursor=cursor))
    work.audit("push.again", "party", party_id, cursor=cursor)
    if not dead_tasks.revive(work.session, KIND, party_id) and not dead_tasks.stands(work.session, KIND, party_id):
        work.later(KIND, party_id)


def states(session: Session, party_id: UUID | None = None) -> list[PushState]:
    """Of every party that gets pushes, or of this one, by code."""
    waiting = select(func.count()).where(Change.party_id == Party.id)
    waiting = waiting.where(or_(Change.cursor.is_(None), Change.cursor > func.coalesce(Push.cursor, 0)))
    columns = (Party.id, func.coalesce(Push.cursor, 0), waiting.correlate(Party, Push).scalar_subquery())
    found = select(*columns).outerjoin(Push, Push.party_id == Party.id).where(Party.config[ADDRESS].astext != "")
    if party_id is not None:
        found = found.where(Party.id == party_id)
    return [
        PushState(row[0], row[1], feed.last_cursor(session, row[0]), row[2])
        for row in session.execute(found.order_by(Party.code))
    ]


def _hold(work: Work, party_id: UUID) -> int:
    _begin_stream(work, party_id)
    now = func.clock_timestamp()
    free = or_(Push.busy_until.is_(None), Push.busy_until < now)
    held = update(Push).where(Push.party_id == party_id, free).values(busy_until=now + HOLD)
    cursor = work.session.scalar(held.returning(Push.cursor))
    if cursor is None:
        raise TryLater(BUSY_PAUSE_S)
    return cursor


def _begin_stream(work: Work, party_id: UUID) -> None:
    """Pushes go on where the party has stopped to read by itself."""
    acked = select(func.coalesce(func.max(Partner.acked_cursor), 0)).where(Partner.party_id == party_id)
    first = insert(Push).values(party_id=party_id, cursor=acked.scalar_subquery())
    work.session.execute(first.on_conflict_do_nothing())
