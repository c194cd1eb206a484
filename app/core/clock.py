"""Time: aware UTC for the database, Asia/Shanghai for business dates and people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
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


def shanghai_date(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()
