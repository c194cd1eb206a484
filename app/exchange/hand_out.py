"""Handing commands out: in sequence, at most so many open in a lane, `once` commands never again.

The rows of the lanes are locked while commands are chosen, for milliseconds; no lock and no connection is held while an
agent waits or works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select, text, update
from sqlalchemy.orm import Session

from app.core.work import Work
from app.exchange.commands import body_place
from app.exchange.models import Command, Lane, Party
from app.exchange.states import commands

# How many commands of one lane may be unanswered in an agent's hands; a party's config `lane_limits` may say less.
LANE_LIMIT = 200
HAND_AGAIN_S = 30

# The first so many unanswered commands of each lane; of these whatever is new or was lost on the way.
_READY = text("""
    SELECT c.id, c.kind, c.lane, c.seq, c.body_sealed, c.left_ms
    FROM unnest(CAST(:lanes AS text[]), CAST(:limits AS int[])) AS l(name, most)
    CROSS JOIN LATERAL (
        SELECT id, kind, lane, seq, number, status, once, handed_at, body_sealed,
               ceil(extract(epoch FROM deadline - clock_timestamp()) * 1000)::bigint AS left_ms
        FROM command
        WHERE party_id = :party_id AND lane = l.name AND status IN ('open', 'fetched')
          AND (deadline IS NULL OR deadline > clock_timestamp())
        ORDER BY seq, number
        LIMIT l.most
    ) c
    WHERE c.status = 'open' OR (NOT c.once AND c.handed_at < clock_timestamp() - make_interval(secs => :again_s))
    ORDER BY c.seq, c.number
    LIMIT :most
""")


@dataclass(frozen=True)
class Handed:
    """A command in an agent's hands. `left_ms` until its deadline, None without one."""

    id: UUID
    kind: str
    lane: str
    seq: int
    left_ms: int | None
    body: dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """Who asks for how many commands of which lanes (None: all)."""

    party_id: UUID
    most: int
    lanes: Sequence[str] | None = None


def anything_for(session: Session, ask: Ask) -> bool:
    """Whether handing out would find something. Takes no lock."""
    names = session.scalars(_lanes(ask).with_only_columns(Lane.name)).all()
    return bool(names) and bool(_ready(session, ask, names, most=1))


def hand_out(work: Work, ask: Ask) -> list[Handed]:
    """Mark up to `ask.most` commands as fetched and give their contents; each is audited as it leaves."""
    lanes = {lane.name: lane.last_seq for lane in work.session.execute(_lanes(ask).with_for_update(key_share=True))}
    ready = _ready(work.session, ask, list(lanes), most=ask.most) if lanes else []
    if not ready:
        return []
    handed = []
    for row in ready:
        if row.seq is None:
            lanes[row.lane] += 1
        body = work.privacy.open_json(row.body_sealed, body_place(row.id))
        handed.append(Handed(row.id, row.kind, row.lane, row.seq or lanes[row.lane], row.left_ms, body))
    _write_places(work.session, ask.party_id, handed, lanes)
    commands.move(work, [one.id for one in handed], "fetch", values={"handed_at": work.now})
    return handed


def _lanes(ask: Ask) -> Any:
    wanted = select(Lane.name, Lane.last_seq).where(Lane.party_id == ask.party_id).order_by(Lane.name)
    return wanted if ask.lanes is None else wanted.where(Lane.name.in_(ask.lanes))


def _ready(session: Session, ask: Ask, names: Sequence[str], *, most: int) -> Sequence[Any]:
    config = session.scalar(select(Party.config).where(Party.id == ask.party_id)) or {}
    limits = config.get("lane_limits", {})
    values = {"lanes": names, "limits": [int(limits.get(name, LANE_LIMIT)) for name in names]}
    return session.execute(_READY, {"party_id": ask.party_id, "most": most, "again_s": HAND_AGAIN_S, **values}).all()


def _write_places(session: Session, party_id: UUID, handed: Sequence[Handed], lanes: Mapping[str, int]) -> None:
    connection = session.connection()
    commands_table, lane_table = cast(Table, Command.__table__), cast(Table, Lane.__table__)
    connection.execute(
        update(commands_table).where(commands_table.c.id == bindparam("b_id")).values(seq=bindparam("b_seq")),
        # In the order in which `move` locks, so that answers coming in at the same time cannot deadlock with it.
        [{"b_id": one.id, "b_seq": one.seq} for one in sorted(handed, key=lambda one: one.id)],
    )
    mine = (lane_table.c.party_id == party_id) & (lane_table.c.name == bindparam("b_name"))
    used = {one.lane for one in handed}
    connection.execute(
        update(lane_table).where(mine).values(last_seq=bindparam("b_last")),
        [{"b_name": name, "b_last": lanes[name]} for name in sorted(used)],
    )
