from __future__ import annotations

from datetime import timedelta

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
