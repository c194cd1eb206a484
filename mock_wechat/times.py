"""Times as WeChat writes them: China Standard Time with its offset, or epoch seconds."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def rfc3339(at: datetime) -> str:
    """Whole seconds, as orders and refunds show them: 2026-11-21T10:00:00+08:00."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")


def rfc3339_ms(at: datetime) -> str:
    """Milliseconds, as transfer bills show them: 2026-11-21T10:00:00.120+08:00."""
    return at.astimezone(SHANGHAI).isoformat(timespec="milliseconds")


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shanghai_date(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def bill_time(text: str) -> str:
    """An RFC 3339 time as bills show it: 2026-11-21 10:00:00."""
    return parse(text).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
