"""A regulated quota: at most n requests in any window reach an interface, whatever crashes.

A budget has n slots. A slot is taken before the request is sent and is free again one window after the request can last
have arrived: n + 1 arrivals in one window would need one slot twice. Nothing depends on two machines' clocks agreeing:
only the database's clock counts, and a step of it (app/core/steady.py) is waited out. Until an answer proves more, a
slot is held for the time left to the request, the partner's longest work, and one window.

Slots may have owners, who are guaranteed these and may be lent others. An owner's promises of time are made from its
own slots alone, so that nothing that others do makes them later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, first_row

__all__ = [
    "Budget",
    "QuotaSlot",
    "answer_s",
    "expected_at",
    "expected_free",
    "free_now",
    "give_back",
    "lose",
    "next_free",
    "nth_free",
    "open_budget",
    "release",
    "take",
    "wait_out",
]


# Behind a holder's name: no answer frees this slot any more.
STEPPED = " (before a step of the clock)"


class QuotaSlot(Base):
    """One of the n places of a budget; `holder` names the request that took it last, each try by a name of its own.

    `taken_at` while its request is under way; `took_s` is how long after the taking the last answered request can last
    have arrived. `owner` is whose guaranteed share it belongs to.
    """

    __tablename__ = "quota_slot"

    budget: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    free_at: Mapped[datetime]
    holder: Mapped[str | None]
    owner: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    took_s: Mapped[float | None]


# Made once and without the ORM: making them takes longer than what the database does with them.
_SLOT = cast(Table, QuotaSlot.__table__)
# In the driver's own form: with its slot in hand somebody talks to a partner, and SQLAlchemy takes as long for this
# statement as the database does.
_TAKE = """
UPDATE quota_slot SET free_at = clock_timestamp() + %(held)s, holder = %(holder)s, taken_at = clock_timestamp()
WHERE budget = %(budget)s AND no = (
    SELECT no FROM quota_slot
    WHERE budget = %(budget)s AND no <= %(n)s AND free_at <= clock_timestamp()
        AND (owner = %(owner)s::text OR owner IS NULL OR owner <> ALL (%(kept)s::text[]))
    ORDER BY CASE WHEN owner = %(owner)s::text THEN 0 WHEN owner IS NULL THEN 1 ELSE 2 END, free_at
    LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING no
"""
_ARRIVED = bindparam("arrived_by", type_=TIMESTAMP(timezone=True))
_RELEASE = (
    update(_SLOT)
    .where(_SLOT.c.budget == bindparam("of_budget"), _SLOT.c.holder == bindparam("by_holder"))
    .values(
        free_at=func.least(_SLOT.c.free_at, bindparam("again", type_=TIMESTAMP(timezone=True))),
        took_s=func.coalesce(func.greatest(func.extract("epoch", _ARRIVED - _SLOT.c.taken_at), 0), _SLOT.c.took_s),
        taken_at=None,
        holder=None,
    )
)


@dataclass(frozen=True)
class Budget:
    """n requests in any `window` at the interface called `name`. `shares` are the slots guaranteed to each owner; what
    they leave of n is everybody's. None means that the slots' owners are left as they are."""

    name: str
    n: int
    window: timedelta
    shares: Mapping[str, int] | None = field(default=None)

    def owners(self) -> list[str | None]:
        """The owner of each slot, from slot 1. ValueError for shares that n does not hold."""
        shares = self.shares or {}
        owned = [owner for owner in sorted(shares) for _ in range(shares[owner])]
        if len(owned) > self.n or any(share < 1 for share in shares.values()):
            raise ValueError(f"{self.name}: the shares are below 1 or add up to {len(owned)} of {self.n}")
        return [*owned, *[None] * (self.n - len(owned))]


def open_budget(session: Session, budget: Budget) -> None:
    """Make the slots that are missing and give them to their owners. A budget never used before is free at once; slots
    added later wait a window."""
    rows = session.execute(select(QuotaSlot.no, QuotaSlot.owner).where(QuotaSlot.budget == budget.name))
    have = {row.no: row.owner for row in rows}
    wanted = dict(enumerate(budget.owners(), 1))
    free_at = func.clock_timestamp() + (budget.window if have else timedelta(0))
    new = [{"budget": budget.name, "no": no, "owner": owner} for no, owner in wanted.items() if no not in have]
    if new:
        session.execute(insert(QuotaSlot).values([{**row, "free_at": free_at} for row in new]).on_conflict_do_nothing())
    if budget.shares is None:
        return
    for owner in {owner for no, owner in wanted.items() if have.get(no, owner) != owner}:
        theirs = [no for no, one in wanted.items() if one == owner]
        _change(session, budget, QuotaSlot.no.in_(theirs), owner=owner)


def take(
    session: Session,
    budget: Budget,
    holder: str,
    hold: timedelta,
    *,
    owner: str | None = None,
    kept: Collection[str] = (),
) -> int | None:
    """A slot for `holder`, held for `hold` plus one window unless `release` learns more; None if all are in use.

    One of its `owner`'s own first, then one of nobody's, then one that is lent by an owner who is not in `kept`.
    """
    wanted = {"budget": budget.name, "n": budget.n, "owner": owner, "kept": list(kept)}
    taken = first_row(session, _TAKE, {**wanted, "holder": holder, "held": hold + budget.window})
    return taken[0] if taken else None


def release(session: Session, budget: Budget, holder: str, arrived_by: datetime) -> None:
    """The request of `holder` had arrived by `arrived_by` (the database's clock): its slot is free a window later."""
    arrived = {"arrived_by": arrived_by, "again": arrived_by + budget.window}
    session.execute(_RELEASE, {"of_budget": budget.name, "by_holder": holder, **arrived})


def give_back(session: Session, budget: Budget, holder: str) -> None:
    """The request of `holder` was certainly never sent: its slot is free at once."""
    now = func.clock_timestamp()
    _change(session, budget, QuotaSlot.holder == holder, free_at=now, taken_at=None, holder=None)


def lose(session: Session, budget: Budget, holder: str) -> None:
    """Nobody will ever know when the request of `holder` arrived: its slot is held to the end."""
    _change(session, budget, QuotaSlot.holder == holder, taken_at=None)


def wait_out(session: Session, budget: Budget, step: timedelta, hold: timedelta) -> None:
    """The database's clock has stepped. Forwards: every slot waits that much longer, and that of a request under way to
    the end, because its answer may have been stamped before the step. Backwards: no slot waits longer than it would
    from now (one that was set since the step must not become free earlier, so nothing is taken off). `hold` is the
    longest that `take` was asked for."""
    taken_at = QuotaSlot.taken_at + step
    if step > timedelta(0):
        nobody = func.concat(QuotaSlot.holder, STEPPED)
        _change(session, budget, QuotaSlot.holder.is_not(None), holder=nobody, taken_at=None)
        _change(session, budget, literal(True), free_at=QuotaSlot.free_at + step)
        return
    longest = func.clock_timestamp() + budget.window + case((QuotaSlot.holder.is_(None), timedelta(0)), else_=hold)
    _change(session, budget, literal(True), free_at=func.least(QuotaSlot.free_at, longest), taken_at=taken_at)


def next_free(session: Session, budget: Budget, count: int = 1) -> list[datetime]:
    """When the next `count` slots become free, soonest first (at most n of them); now for one that is free."""
    free_at = func.greatest(QuotaSlot.free_at, func.clock_timestamp())
    return list(session.scalars(select(free_at).where(_mine(budget)).order_by(QuotaSlot.free_at).limit(count)))


def free_now(session: Session, budget: Budget) -> int:
    """How many slots are free; all n of a budget that was never used."""
    mine = select(func.count(), func.count().filter(QuotaSlot.free_at <= func.clock_timestamp())).where(_mine(budget))
    have, free = session.execute(mine).one()
    return int(free) if have else budget.n


def answer_s(session: Session, budget: Budget) -> float | None:
    """How long after the taking of a slot its request has arrived for certain: the 95th percentile of the slots' last
    answers, None before the first."""
    p95 = func.percentile_disc(0.95).within_group(QuotaSlot.took_s.asc())
    found = session.scalar(select(p95).where(_mine(budget)))
    return None if found is None else float(found)


def expected_free(session: Session, budget: Budget, answer_s: float, owner: str | None = None) -> list[datetime]:
    """When the slots of `owner` (all, if it owns none) can be expected to be free, soonest first; now for one that is.
    A request under way is expected to be answered in `answer_s`, or now if it has taken longer already."""
    now = func.clock_timestamp()
    answered = func.greatest(QuotaSlot.taken_at + timedelta(seconds=answer_s), now)
    under_way = func.least(QuotaSlot.free_at, answered + budget.window)
    expected = func.greatest(case((QuotaSlot.taken_at.is_(None), QuotaSlot.free_at), else_=under_way), now)
    rows = session.execute(select(expected, QuotaSlot.owner).where(_mine(budget)).order_by(expected)).all()
    own = [free_at for free_at, of in rows if owner is not None and of == owner]
    return own or [free_at for free_at, _ in rows]


def expected_at(
    session: Session, budget: Budget, place: int, answer_s: float, owner: str | None = None
) -> datetime | None:
    """When whoever stands at `place` (from 1) of `owner`'s line can expect a slot, with the owner's share alone. None
    for a budget that was never used."""
    free = expected_free(session, budget, answer_s, owner)
    return nth_free(free, budget.window + timedelta(seconds=answer_s), place) if free else None


def nth_free(free: Sequence[datetime], turn: timedelta, place: int) -> datetime:
    """The `place`-th (from 1) of all moments at which slots that are first `free` at these times, and then again after
    every `turn`, become free. It never gets later when a place or one of the times gets smaller."""
    first = min(free)
    since = [divmod(at - first, turn) for at in free]
    # From this turn on each turn has one moment of every slot; before it, those that are free early have more.
    steady = max(turns for turns, _ in since)
    early = sorted(first + rest + turn * no for turns, rest in since for no in range(turns, steady))
    if place <= len(early):
        return early[place - 1]
    full, position = divmod(place - len(early) - 1, len(free))
    rests = sorted(rest for _, rest in since)
    return first + rests[position] + turn * (steady + full)


def _change(session: Session, budget: Budget, which: ColumnElement[bool], **values: Any) -> None:
    changed = update(QuotaSlot).where(and_(QuotaSlot.budget == budget.name, which)).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))


def _mine(budget: Budget) -> ColumnElement[bool]:
    return (QuotaSlot.budget == budget.name) & (QuotaSlot.no <= budget.n)
