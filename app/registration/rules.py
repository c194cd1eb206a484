from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

# After so many temporary failures an entry steps aside, so that it cannot block the line for ever.
TRIES_IN_PLACE = 5
ASIDE = timedelta(minutes=5)
# Why a try failed where the hospital was not what failed: the person's data, and a number that is another person's.
UNREADABLE, NUMBER_TAKEN = "unreadable", "patient_number_taken"
COMMAND_LIFE = timedelta(seconds=60)
REFUSALS = {
    "document_invalid": "证件信息有误，请核对后重新绑定",
    "blacklisted": "医院暂不接受该就诊人的线上建档，请到窗口办理",
}
REFUSED = "医院未能完成建档，请到窗口办理"


def retry_pause(tries: int) -> timedelta:
    """How long an entry that failed rests in its place: 1, 2, 4, 8 … seconds, at most a minute."""
    return timedelta(seconds=min(2 ** max(tries - 1, 0), 60))


def failed(now: datetime, tries: int, code: str | None, *, aside: bool = False) -> dict[str, Any]:
    """Columns of an entry after one more failure: it rests in its place; after k tries, or with `aside`, aside."""
    tries = max(tries + 1, TRIES_IN_PLACE if aside else 0)
    pause = retry_pause(tries) if tries < TRIES_IN_PLACE else ASIDE
    return {"tries": tries, "not_before": now + pause, "last_code": (code or "no_answer")[:60]}
