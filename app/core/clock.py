"""Time: aware UTC for the database, Asia/Shanghai for business dates and people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Clock:
    """`fixed_date` holds one business date for every process of a run, also across midnight."""

    fixed_date: date | None = None

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        """The business date."""
        return self.fixed_date or self.now().astimezone(SHANGHAI).date()

    def horizon(self) -> datetime:
        """What ended before it is past: now, or with a fixed date the beginning of that date, whose hours may be played
        at any hour."""
        return datetime.combine(self.fixed_date, time.min, SHANGHAI) if self.fixed_date else self.now()


def shanghai_date(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()
