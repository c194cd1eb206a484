"""Handing commands out: in sequence, at most so many open in a lane, `once` commands never again.

The rows of the lanes are locked while commands are chosen, for milliseconds; no lock and no connection is held while an
agent waits or works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, Table, Text, any_, bindparam, func, or_, select, text, update
from sqlalchemy.orm import Session

from app.core.work import Work
from app.exchange.commands import body_place
from app.exchange.models import Lane, Party
from app.exchange.states import commands

# How many commands of one lane may be unanswered in an agent's hands; a party's config `lane_limits` may say less.
LANE_LIMIT = 200
HAND_AGAIN_S = 30

# The first so many unanswered commands of each lane; of these whatever is new or was lost on the way.
_READY = text("""
    SELECT c.id, c.kind, c.lane, c.seq, c.body_sealed, c.left_ms
    FROM unnest(CAST(:lanes AS text[]), CAST(:limits AS int[]), CAST(:seen AS bigint[])) AS l(name, most, seen)
    CROSS JOIN LATERAL (
        SELECT id, kind, lane, seq, number, status, once, handed_at, seq > l.seen AS lost, body_sealed,
               -- Never more than it had at first, even if the clock was put back since.
               ceil(extract(epoch FROM deadline - greatest(clock_timestamp(), created_at)) * 1000)::bigint AS left_ms
        FROM command
        WHERE party_id = :party_id AND lane = l.name AND status IN ('open', 'fetched')
          AND (deadline IS NULL OR deadline > clock_timestamp())
        ORDER BY seq, number
        LIMIT l.most
    ) c
    WHERE c.status = 'open'
       OR (NOT c.once AND (c.lost OR c.handed_at < clock_timestamp() - make_interval(secs => :again_s)))
    ORDER BY c.seq, c.number
    LIMIT :most
""")

# Made once: every poll of an agent asks, and asks again whenever it is woken.
_NAMES = bindparam("names", type_=ARRAY(Text))
_LANES = (
    select(Lane.name, Lane.last_seq, Party.config["lane_limits"].label("limits"))
    .join(Party, Party.id == Lane.party_id)
    .where(Lane.party_id == bindparam("party_id"), or_(_NAMES.is_(None), Lane.name == any_(_NAMES)))
    .order_by(Lane.name)
)
_LOCKED_LANES = _LANES.with_for_update(key_share=True, of=Lane)

_NUMBER = text("""
    UPDATE command SET seq = n.seq
    FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS bigint[])) AS n(id, seq) WHERE command.id = n.id
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
    """Who asks for how many commands of which lanes (None: all). `limits`: the most of a lane that may be unanswered
    in its hands, where that is less than we allow. `seen`: the last of a lane that it has kept."""

    party_id: UUID
    most: int
    lanes: Sequence[str] | None = None
    limits: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)


@dataclass
class _Place:
    """A lane as it is now: its last sequence number, and how many of its commands may be open."""

    last_seq: int
    limit: int


def anything_for(session: Session, ask: Ask) -> bool:
    """Whether handing out would find something. Takes no lock."""
    lanes = _lanes(session, ask, lock=False)
    return bool(lanes) and bool(_ready(session, ask, lanes, most=1))


def hand_out(work: Work, ask: Ask) -> list[Handed]:
    """Mark up to `ask.most` commands as fetched and give their contents; each is audited as it leaves."""
    lanes = _lanes(work.session, ask, lock=True)
    handed, new = [], []
    for row in _ready(work.session, ask, lanes, most=ask.most):
        seq = row.seq
        if seq is None:
            seq = lanes[row.lane].last_seq = lanes[row.lane].last_seq + 1
            new.append((row.id, seq))
        body = work.privacy.open_json(row.body_sealed, body_place(row.id))
        handed.append(Handed(row.id, row.kind, row.lane, seq, row.left_ms, body))
    if new:
        _number(work.session, new)
        _count_up(work.session, ask.party_id, lanes)
    values = {"handed_at": func.clock_timestamp()}
    # Lenient: one may have been taken back, answered or found overdue since it was chosen.
    moved = {one.id for one in commands.move(work, [one.id for one in handed], "fetch", values=values, lenient=True)}
    return [one for one in handed if one.id in moved]


def _lanes(session: Session, ask: Ask, *, lock: bool) -> dict[str, _Place]:
    names = None if ask.lanes is None else list(ask.lanes)
    found = session.execute(_LOCKED_LANES if lock else _LANES, {"party_id": ask.party_id, "names": names})
    return {lane.name: _Place(lane.last_seq, _limit(ask, lane.name, lane.limits or {})) for lane in found}


def _limit(ask: Ask, lane: str, agreed: Mapping[str, Any]) -> int:
    most = int(agreed.get(lane, LANE_LIMIT))
    return min(most, ask.limits.get(lane, most))


def _ready(session: Session, ask: Ask, lanes: Mapping[str, _Place], *, most: int) -> Sequence[Any]:
    values = {
        "party_id": ask.party_id,
        "lanes": list(lanes),
        "limits": [lane.limit for lane in lanes.values()],
        "seen": [ask.seen.get(name) for name in lanes],
        "most": most,
        "again_s": HAND_AGAIN_S,
    }
    return session.execute(_READY, values).all()


def _number(session: Session, new: Sequence[tuple[UUID, int]]) -> None:
    """Only commands that nobody has seen yet are numbered, so no answer can wait for these rows."""
    ids, places = zip(*new, strict=True)
    session.execute(_NUMBER, {"ids": list(ids), "places": list(places)})


def _count_up(session: Session, party_id: UUID, lanes: Mapping[str, _Place]) -> None:
    table = cast(Table, Lane.__table__)
    mine = (table.c.party_id == party_id) & (table.c.name == bindparam("b_name"))
    session.connection().execute(
        update(table).where(mine).values(last_seq=bindparam("b_last")),
        [{"b_name": name, "b_last": lane.last_seq} for name, lane in lanes.items()],
    )
