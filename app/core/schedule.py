"""A nightly run happens once for each business date, whoever asks and however often."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base


class ScheduledRun(Base):
    """The right to one run: the row decides."""

    __tablename__ = "scheduled_run"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def claim(session: Session, day: date, kind: str) -> bool:
    """True for the one caller that may start `kind` for `day`."""
    row = insert(ScheduledRun).values(day=day, kind=kind).on_conflict_do_nothing().returning(ScheduledRun.day)
    return session.scalar(row) is not None


def last_day(session: Session, kind: str) -> date | None:
    return session.scalar(select(func.max(ScheduledRun.day)).where(ScheduledRun.kind == kind))
