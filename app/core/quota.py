"""A regulated quota: at most n requests in any window reach an interface, whatever crashes.

A budget has n slots. A slot is taken before the request is sent and is free again one window after the request can last
have arrived: n + 1 arrivals in one window would need one slot twice. Nothing depends on two machines' clocks agreeing:
only the database's clock counts. Until an answer proves more, a slot is held for the time left to the request, the
partner's longest work, and one window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base


class QuotaSlot(Base):
    """One of the n places of a budget; `holder` is the request that took it last."""

    __tablename__ = "quota_slot"

    budget: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    free_at: Mapped[datetime]
    holder: Mapped[UUID | None]


@dataclass(frozen=True)
class Budget:
    """n requests in any `window` at the interface called `name`."""

    name: str
    n: int
    window: timedelta


def open_budget(session: Session, budget: Budget) -> None:
    """Make the slots that are missing. A budget never used before is free at once; slots added later wait a window."""
    have = session.scalar(select(func.count()).where(QuotaSlot.budget == budget.name)) or 0
    if have >= budget.n:
        return
    free_at = func.clock_timestamp() if have == 0 else func.clock_timestamp() + budget.window
    rows = [{"budget": budget.name, "no": no} for no in range(have + 1, budget.n + 1)]
    session.execute(insert(QuotaSlot).values([{**row, "free_at": free_at} for row in rows]).on_conflict_do_nothing())


def take(session: Session, budget: Budget, holder: UUID, hold: timedelta) -> int | None:
    """A slot for `holder`, held for `hold` plus one window unless `release` learns more; None if all are in use."""
    free = (
        select(QuotaSlot.no)
        .where(QuotaSlot.budget == budget.name, QuotaSlot.no <= budget.n, QuotaSlot.free_at <= func.clock_timestamp())
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


def release(session: Session, budget: Budget, holder: UUID, arrived_by: datetime) -> None:
    """The request of `holder` had arrived by `arrived_by` (the database's clock): its slot is free a window later."""
    learned = literal(arrived_by) + budget.window
    mine = (QuotaSlot.budget == budget.name, QuotaSlot.holder == holder)
    session.execute(
        update(QuotaSlot)
        .where(*mine)
        .values(free_at=func.least(QuotaSlot.free_at, learned), holder=None)
        .execution_options(synchronize_session=False)
    )


def next_free(session: Session, budget: Budget, count: int = 1) -> list[datetime]:
    """When the next `count` slots become free, soonest first (at most n of them)."""
    mine = (QuotaSlot.budget == budget.name, QuotaSlot.no <= budget.n)
    return list(session.scalars(select(QuotaSlot.free_at).where(*mine).order_by(QuotaSlot.free_at).limit(count)))


def expected_at(session: Session, budget: Budget, place: int, answer_s: float) -> datetime | None:
    """When whoever stands at `place` (from 1) can expect a slot: the free time of slot `place` mod n, plus a window and
    one answer time for every full turn before."""
    free = next_free(session, budget, budget.n)
    if not free:
        return None
    turns, position = divmod(place - 1, len(free))
    return free[position] + turns * (budget.window + timedelta(seconds=answer_s))
