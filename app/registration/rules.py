from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

# After so many temporary failures of its own an entry steps aside, so that it cannot block the line for ever.
TRIES_IN_PLACE = 5
ASIDE = timedelta(minutes=5)
# No rest ends later than this, however much the clocks of two workers differ.
LONGEST_REST = 2 * ASIDE
# Why a try failed where the hospital was not what failed: the person's data, and a number that is another person's.
UNREADABLE, NUMBER_TAKEN = "unreadable", "patient_number_taken"
# It was registered, under what cannot be a patient number, or cannot be sent: the agent says so with the same code.
UNFIT = "answer_unfit"
# The hospital has this number with other data. It may have registered the person: no final word, a person looks.
NO_REFUSAL = frozenset({"registration_no_reused"})
# Nobody took the question, or nobody brought an answer: nothing was said about the entry.
NO_WORD = frozenset({"not_handed_out", "overdue"})
# The hospital's interface was not there for the agent; only while others are served does it say something about the
# entry.
NOT_THERE = NO_WORD | {"his_unreachable", "his_timeout", "his_429", "his_502", "his_503", "his_504"}
# The pace comes from the last who were finished: at most so many, none longer before the last than this.
RECENT = 500
RECENTLY = timedelta(minutes=10)
# Nobody was bound to the person any more when the hospital was to be shown the person's data.
UNBOUND = "unbound"
REFUSALS = {
    UNBOUND: "就诊人绑定已解除，未再建档；重新绑定后请再次预约，或到窗口办理",
    "document_invalid": "证件信息有误，请核对后重新绑定",
    "blacklisted": "医院暂不接受该就诊人的线上建档，请到窗口办理",
}
NO_CODE = "refused"
REFUSED = "医院未能完成建档，请到窗口办理"


@dataclass(frozen=True)
class Tally:
    """How often an entry has failed by itself, and how often whatever failed."""

    tries: int
    failures: int


@dataclass(frozen=True)
class Company:
    """What happened to others at the same hospital: when the last of them was served, and how many, this entry among
    them, it has in hand or has failed to serve."""

    served_at: datetime | None
    troubled: int

    def shows_own(self, code: str | None, since: datetime) -> bool:
        """Whether a failure is the entry's own and not the hospital's: others were served `since`, or it was asked
        alone and the hospital had something to say. A hospital that serves nobody keeps everybody's place."""
        if code in NO_WORD:
            return False
        if self.served_at is not None and self.served_at > since:
            return True
        return self.troubled <= 1 and code not in NOT_THERE


@dataclass(frozen=True)
class Finished:
    """The last who left the line: how many, of them how many after the `first` moment, when these and the `last` were
    finished, and when the first of all was asked for."""

    count: int
    after_first: int
    first: datetime
    last: datetime
    asked_at: datetime | None

    def seconds_each(self, stalled: timedelta) -> float:
        """From the first moment to the last, and for as long as nothing has moved since. Who left at the first moment
        came out of the time before it; where there is no other moment, they took from the first question on."""
        if self.after_first:
            return (self.last - self.first + stalled).total_seconds() / self.after_first
        return (self.last - (self.asked_at or self.last) + stalled).total_seconds() / self.count


def expected_s(place: int, seconds_each: float, rest_s: float = 0.0) -> int:
    """Whole seconds, never none: somebody who waits is not done yet. Others pass while an entry rests for `rest_s`."""
    return max(1, ceil(max(place * seconds_each, rest_s + seconds_each)))


def retry_pause(failures: int) -> timedelta:
    """How long an entry that failed rests in its place: 1, 2, 4, 8, then 15 seconds, so that the line goes on soon
    after an outage."""
    return timedelta(seconds=min(2 ** min(max(failures - 1, 0), 10), 15))


def failed(now: datetime, so_far: Tally, code: str | None, *, own: bool = True, aside: bool = False) -> dict[str, Any]:
    """Columns of an entry after one more failure: it rests in its place; after k tries of its `own`, or with `aside`,
    aside."""
    tries = max(so_far.tries + own, TRIES_IN_PLACE if aside else 0)
    failures = so_far.failures + 1
    pause = retry_pause(failures) if tries < TRIES_IN_PLACE else ASIDE
    known = {"tries": tries, "failures": failures, "last_code": (code or "no_answer")[:60]}
    return known | {"not_before": now + pause, "failed_at": now}
