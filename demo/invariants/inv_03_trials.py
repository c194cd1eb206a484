"""3. At most n trials reach the medical-insurance interface in any window, and a free place is used while anyone waits.

How much is used: a place is *held* from the admission of a trial until one window after its answer was noted (until
then the interface may have seen it); for a trial without a proving answer, until a window after it can last have
arrived. The k-th place that becomes free can be taken by the (k + n)-th admission, and is *idle* from then on, or from
when that trial came into the line if that was later, until it is. Used = held / (held + idle) over these pairs: the
share of what n places per (window + answer time) allow while somebody waits.

In order means: within a hospital (docs/decisions/009). A person has one live place in an interface's line.

The rule speaks of windows of a minute. A day that shortens them, so that a long line fits into it, does not shorten
how long a decision takes; so each turn is counted as held for what its window lacks of a minute as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from demo.invariants.scene import Row, Scene

USED_AT_LEAST = 0.99
MINUTE = timedelta(seconds=60)
# How long the interface may still work on a request that was sent at the last moment.
_INTERFACE_WORK = timedelta(seconds=10)
# The agent's word that the request never left it: then the place is free at once.
_NOT_SENT = ("not_sent", "past_deadline")
_COMMANDS = """
SELECT c.id, c.number, c.created_at, c.deadline, c.subject, r.outcome, r.code, r.answered_at, s.no, s.line_no,
       b.key, h.code AS hospital,
       (SELECT count(*) FROM audit_entry e WHERE e.subject_id = c.id AND e.action = 'command.fetch') AS handed,
       (SELECT max(e.at) FROM audit_entry e WHERE e.subject_id = s.id AND e.to_status = 'trial_waiting'
        AND e.at <= c.created_at) AS waiting_since
FROM command c JOIN settlement s ON s.id = c.subject JOIN bill b ON b.id = s.bill_id
JOIN party h ON h.id = s.hospital_id
LEFT JOIN command_reply r ON r.id = c.id
WHERE c.kind = 'trial' ORDER BY c.number
"""

_PLACES = """
SELECT count(*) AS places, string_agg(no, ', ' ORDER BY line_no) AS numbers FROM settlement
WHERE status IN ('created', 'trial_waiting', 'trialling') GROUP BY interface_id, person_id HAVING count(*) > 1
"""


def check(scene: Scene) -> list[str]:
    interface, name = scene.interface, str(scene.interface["code"])
    n, window = int(interface["n"]), timedelta(seconds=float(interface["window_s"]))
    commands = scene.rows(_COMMANDS)
    found = [*_order(commands), *_places(scene), *_handed(commands), *_used(commands, n, window)]
    if scene.has(name):
        arrivals = scene.ask(name, "arrivals")
        found += _windows(arrivals, n, window)
        refused = scene.ask(name, "violations")["count"]
        if refused:
            found.append(f"the interface refused {refused} trials as more than {n} in {window.total_seconds():g} s")
        found += _sent(commands, arrivals, scene.journal(name))
    return found


def max_in_window(arrivals: Sequence[Row], window: timedelta) -> int:
    """The most arrivals in any half-open window; `at_ms` is the interface's own clock."""
    times, width_ms, most, first = sorted(row["at_ms"] for row in arrivals), window.total_seconds() * 1000, 0, 0
    for last, at_ms in enumerate(times):
        while at_ms - times[first] >= width_ms:
            first += 1
        most = max(most, last - first + 1)
    return most


def _windows(arrivals: Sequence[Row], n: int, window: timedelta) -> Iterator[str]:
    most = max_in_window(arrivals, window)
    if most > n:
        yield f"{most} trials reached the interface within {window.total_seconds():g} s, {n} are allowed"


def _order(commands: Sequence[Row]) -> Iterator[str]:
    """First admissions follow the line of each hospital; whoever has to be tried again keeps the place and stands
    before all others there. Between hospitals the line is fair and in no order."""
    first = list({row["subject"]: row for row in reversed(commands)}.values())[::-1]
    for hospital in sorted({row["hospital"] for row in first}):
        for before, after in pairwise(row for row in first if row["hospital"] == hospital):
            if before["line_no"] > after["line_no"]:
                yield (
                    f"settlement {after['no']} ({hospital}, line {after['line_no']}) was admitted behind "
                    f"line {before['line_no']}"
                )


def _places(scene: Scene) -> Iterator[str]:
    for row in scene.rows(_PLACES):
        yield f"a person stands in the line of the trials {row['places']} times: settlements {row['numbers']}"


def _handed(commands: Sequence[Row]) -> Iterator[str]:
    for row in commands:
        if row["handed"] > 1:
            yield f"trial command {row['id']} of settlement {row['no']} was handed out {row['handed']} times"


def _sent(commands: Sequence[Row], arrivals: Sequence[Row], journal: Sequence[Row]) -> Iterator[str]:
    """One request for each command that was handed out, and none of anybody else's."""
    for msgid, times in Counter(row["msgid"] for row in arrivals).items():
        if times > 1:
            yield f"trial message {msgid} reached the interface {times} times"
    bills = dict(_bills_asked(journal))
    asked = Counter(bills[row["msgid"]] for row in arrivals if row["msgid"] in bills)
    handed = Counter((row["hospital"], row["key"]) for row in commands if row["handed"])
    for bill, times in asked.items():
        if times > handed[bill]:
            yield f"bill {'/'.join(bill)}: {times} trials reached the interface, {handed[bill]} were handed out"
    answered = Counter((row["hospital"], row["key"]) for row in commands if row["outcome"] == "done")
    for bill, times in answered.items():
        if times > asked[bill]:
            yield f"bill {'/'.join(bill)}: {times} trials are answered, {asked[bill]} reached the interface"


def _bills_asked(journal: Sequence[Row]) -> Iterator[tuple[str, tuple[str, str]]]:
    """msgid -> (hospital, bill) of every 2206."""
    for row in journal:
        if row.get("path") != "/fsi/api" or '"2206"' not in row["body"]:
            continue
        try:
            envelope: Any = json.loads(row["body"])
            bill = str(envelope["input"]["data"]["chrg_bchno"])
            yield str(envelope["msgid"]), (str(envelope["fixmedins_code"]), bill)
        except (ValueError, KeyError, TypeError):
            continue  # not ours to judge: the interface refused it as unreadable


@dataclass(frozen=True)
class Use:
    """Place-seconds while somebody waited, over so many turns; `short_s` is what their windows lack of a minute."""

    held_s: float
    idle_s: float
    short_s: float = 0.0

    @property
    def share(self) -> float:
        held_s = self.held_s + self.short_s
        return held_s / (held_s + self.idle_s) if held_s else 1.0


def used(commands: Sequence[Row], n: int, window: timedelta) -> Use:
    """See the module's text. `commands` are trial commands with created_at, answered_at, outcome, waiting_since."""
    admitted = sorted(commands, key=lambda row: row["created_at"])
    places = sorted((_free_at(row, window), row["created_at"]) for row in admitted if _is_over(row))
    turns = list(zip(places, admitted[n:], strict=False))
    held = sum((free_at - since for (free_at, since), _ in turns), timedelta())
    idle = sum((_idle(free_at, later) for (free_at, _), later in turns), timedelta())
    short = max(MINUTE - window, timedelta()) * len(turns)
    return Use(held.total_seconds(), idle.total_seconds(), short.total_seconds())


def _idle(free_at: datetime, later: Row) -> timedelta:
    """How long a place that is free stands empty before the one who waits has it."""
    waiting_since: datetime = max(later["waiting_since"] or later["created_at"], free_at)
    return max(later["created_at"] - waiting_since, timedelta())


def _is_over(row: Row) -> bool:
    return row["answered_at"] is not None or row["deadline"] is not None


def _free_at(row: Row, window: timedelta) -> datetime:
    answered_at: datetime = row["answered_at"]
    deadline: datetime = row["deadline"]
    if row["outcome"] in ("done", "refused"):
        return answered_at + window
    if not row["handed"]:
        return deadline
    return answered_at if row["code"] in _NOT_SENT else deadline + _INTERFACE_WORK + window


def _used(commands: Sequence[Row], n: int, window: timedelta) -> Iterator[str]:
    use = used(commands, n, window)
    if use.share < USED_AT_LEAST:
        yield (
            f"{use.share:.2%} of the places were used while somebody waited "
            f"({use.idle_s:.2f} s idle beside {use.held_s:.2f} s held, with whole minutes {use.short_s:.0f} s more)"
        )
