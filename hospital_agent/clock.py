"""Time: UTC instants, the partner's business date, and epoch milliseconds."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    return datetime.now(UTC)


def steady_s() -> float:
    """Seconds that only ever grow, also while the machine sleeps where the system can tell: what deadlines are counted
    by."""
    boot_clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_clock is None else time.clock_gettime(boot_clock)


def epoch_s() -> int:
    return int(time.time())


def today() -> date:
    """The business date of the wall clock."""
    return datetime.now(SHANGHAI).date()


def rfc3339(moment: datetime) -> str:
    """UTC text such as 2026-11-21T01:02:03Z; fractions only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
