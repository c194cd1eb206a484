"""A regulated quota: at most n requests in any window reach an interface, whatever crashes.

A budget has n slots. A slot is taken before the request is sent and is free again one window after the request can last
have arrived: n + 1 arrivals in one window would need one slot twice. Nothing depends on two machines' clocks agreeing:
only the database's clock counts, and a step of it is noticed and waited out. Until an answer proves more, a slot is
held for the time left to the request, the partner's longest work, and one window.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base

STEP_TOLERANCE_S = 0.5


class QuotaSlot(Base):
    """One of the n places of a budget; `holder` names the request that took it last, each try by a name of its own."""

    __tablename__ = "quota_slot"

    budget: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    free_at: Mapped[datetime]
    holder: Mapped[str | None]


@dataclass(frozen=True)
class Budget:
    """n requests in any `window` at the interface called `name`."""

    name: str
    n: int
    window: timedelta


class Watch:
    """Notices when the database's clock has run ahead of this process's own: such a step would free slots too early."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: tuple[datetime, float] | None = None

    def step(self, session: Session) -> timedelta:
        """How far the database's clock has jumped forwards since the last look; nothing for ordinary drift."""
        before_s = self._monotonic()
        now = database_now(session)
        last, self._last = self._last, (now, before_s)
        if last is None:
            return timedelta(0)
        step_s = (now - last[0]).total_seconds() - (self._monotonic() - last[1])
        return timedelta(seconds=step_s) if step_s > STEP_TOLERANCE_S else timedelta(0)


def database_now(session: Session) -> datetime:
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def open_budget(session: Session, budget: Budget) -> None:
    """Make the slots that are missing. A budget never used before is free at once; slots added later wait a window."""
    have = session.scalar(select(func.count()).where(QuotaSlot.budget == budget.name)) or 0
    if have >= budget.n:
        return
    free_at = func.clock_timestamp() if have == 0 else func.clock_timestamp() + budget.window
    rows = [{"budget": budget.name, "no": no} for no in range(have + 1, budget.n + 1)]
    session.execute(insert(QuotaSlot).values([{**row, "free_at": free_at} for row in rows]).on_conflict_do_nothing())


def take(session: Session, budget: Budget, holder: str, hold: timedelta) -> int | None:
    """A slot for `holder`, held for `hold` plus one window unless `release` learns more; None if all are in use."""
    free = (
        select(QuotaSlot.no)
        .where(_mine(budget), QuotaSlot.free_at <= func.clock_timestamp())
        .order_by(QuotaSlot.free_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = (
        update(QuotaSlot)
        .where(QuotaSlot.budget == budget.name, QuotaSlot.no == free)
        .values(free_at=func.clock_timestamp() + hold + budget.window, holder=holder)
        .returning(QuotaSlot.no)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(taken)


def release(session: Session, budget: Budget, holder: str, arrived_by: datetime) -> None:
    """The request of `holder` had arrived by `arrived_by` (the database's clock): its slot is free a window later."""
    _free(session, budget, holder, func.least(QuotaSlot.free_at, literal(arrived_by) + budget.window))


def give_back(session: Session, budget: Budget, holder: str) -> None:
    """The request of `holder` was certainly never sent: its slot is free at once."""
    _free(session, budget, holder, func.clock_timestamp())


def _free(session: Session, budget: Budget, holder: str, free_at: ColumnElement[datetime]) -> None:
    held = (QuotaSlot.budget == budget.name, QuotaSlot.holder == holder)
    freed = update(QuotaSlot).where(*held).values(free_at=free_at, holder=None)
    session.execute(freed.execution_options(synchronize_session=False))


def wait_out(session: Session, budget: Budget, step: timedelta) -> None:
    """The database's clock has jumped forwards by `step`: every slot waits that much longer."""
    later = update(QuotaSlot).where(QuotaSlot.budget == budget.name).values(free_at=QuotaSlot.free_at + step)
    session.execute(later.execution_options(synchronize_session=False))


def next_free(session: Session, budget: Budget, count: int = 1) -> list[datetime]:
    """When the next `count` slots become free, soonest first (at most n of them); now for one that is free."""
    free_at = func.greatest(QuotaSlot.free_at, func.clock_timestamp())
    return list(session.scalars(select(free_at).where(_mine(budget)).order_by(QuotaSlot.free_at).limit(count)))


def free_now(session: Session, budget: Budget) -> int:
    """How many slots are free; all n of a budget that was never used."""
    mine = select(func.count(), func.count().filter(QuotaSlot.free_at <= func.clock_timestamp())).where(_mine(budget))
    have, free = session.execute(mine).one()
    return int(free) if have else budget.n


def expected_at(session: Session, budget: Budget, place: int, answer_s: float) -> datetime | None:
    """When whoever stands at `place` (from 1) can expect a slot: the free time of slot `place` mod n, plus a window and
    one answer time for every full turn before. None for a budget that was never used."""
    free = next_free(session, budget, budget.n)
    if not free:
        return None
    turns, position = divmod(place - 1, len(free))
    return free[position] + turns * (budget.window + timedelta(seconds=answer_s))


def _mine(budget: Budget) -> ColumnElement[bool]:
    return (QuotaSlot.budget == budget.name) & (QuotaSlot.no <= budget.n)
