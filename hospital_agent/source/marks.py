"""High-water marks as text: what a `changed` column or a key was when the agent last looked."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def encode(value: Any) -> str:
    """A date-time, date, text, number, or a list of text and numbers (a key)."""
    if isinstance(value, datetime):
        return json.dumps({"datetime": value.isoformat()})
    if isinstance(value, date):
        return json.dumps({"date": value.isoformat()})
    return json.dumps({"plain": value}, ensure_ascii=False)


def decode(text: str) -> Any:
    kind, value = next(iter(json.loads(text).items()))
    if kind == "datetime":
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if kind == "date" else value


def back(value: Any, overlap_s: float) -> Any:
    """The mark less the overlap: a transaction that committed late carries an earlier time. Text stays as it is."""
    if isinstance(value, datetime):
        return value - timedelta(seconds=overlap_s)
    if isinstance(value, date):
        return value - timedelta(days=1)
    return value


def capped(value: Any, zone: ZoneInfo) -> Any:
    """Not later than now: one row from the future must not hide all that change before it."""
    if isinstance(value, datetime):
        now = datetime.now(UTC)
        return min(value, now if value.tzinfo else now.astimezone(zone).replace(tzinfo=None))
    if isinstance(value, date):
        return min(value, datetime.now(zone).date())
    return value
