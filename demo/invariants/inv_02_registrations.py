"""2. Registration order within a hospital is the order of arrival, also across crashes; nothing twice, nothing lost.

Arrival is the acceptance of the booking: its number among the hospital's bookings is the place in the line (`line_no`).
The order in which registrations first reached the hospital is its double's own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from demo.invariants.scene import Row, Scene

# Nobody was bound to the person any more before the hospital was asked.
_UNASKED = "unbound"
_LINE = """
SELECT r.no, r.line_no, r.status, r.refused_code, r.appointment_id, r.person_id, p.patient_no
FROM registration r JOIN party h ON h.id = r.hospital_id
LEFT JOIN patient_number p ON p.hospital_id = r.hospital_id AND p.person_id = r.person_id
WHERE h.code = %(code)s ORDER BY r.line_no
"""
_LAST_NO = """
SELECT s.last_no FROM number_series s JOIN party h ON s.name = 'arrivals:' || h.id WHERE h.code = %(code)s
"""
# Once booked: also what was cancelled later had brought its person into the line.
_BOOKED = """
SELECT a.id, a.no, a.person_id, a.arrival_no FROM appointment a JOIN party h ON h.id = a.hospital_id
WHERE h.code = %(code)s AND (a.status IN ('booked', 'attended', 'no_show') OR EXISTS (
    SELECT 1 FROM audit_entry e WHERE e.subject_id = a.id AND e.to_status = 'booked'))
"""


def check(scene: Scene) -> list[str]:
    found: list[str] = []
    for hospital in scene.hospitals():
        code = str(hospital["code"])
        line = scene.rows(_LINE, code=code)
        found += _line(scene, code, line)
        if scene.has(code):
            found += _order(code, line, scene.journal(code))
            found += _admitted(scene, code, line)
    return found


def _line(scene: Scene, code: str, line: Sequence[Row]) -> Iterator[str]:
    booked = scene.rows(_BOOKED, code=code)
    live = Counter(row["person_id"] for row in line if row["status"] != "failed")
    for row in line:
        if row["status"] != "failed" and live[row["person_id"]] > 1:
            yield f"{code}: the person of registration {row['no']} stands in the line {live[row['person_id']]} times"
        if row["status"] == "registered" and row["patient_no"] is None:
            yield f"{code}: registration {row['no']} is registered without a patient number"
    yield from _gaps(scene, code, line, booked)
    yield from _places(code, line, booked)
    if not scene.finished:
        return
    in_line = {row["person_id"] for row in line}
    for row in booked:
        if row["person_id"] not in in_line:
            yield f"{code}: appointment {row['no']} was booked, but its person never came into the line"
    for row in line:
        if row["status"] not in ("registered", "failed"):
            yield f"{code}: registration {row['no']} (line {row['line_no']}) is still {row['status']}"


def _gaps(scene: Scene, code: str, line: Sequence[Row], booked: Sequence[Row]) -> Iterator[str]:
    """A booking of somebody who is in the line already takes a number and needs none; any other gap is a lost entry."""
    numbers = [row["line_no"] for row in line]
    last = max([row["last_no"] for row in scene.rows(_LAST_NO, code=code)] + numbers, default=0)
    missing = sorted(set(range(1, last + 1)) - set(numbers))
    used = {row["appointment_id"] for row in line}
    allowed = sum(1 for row in booked if row["id"] not in used)
    if len(missing) > allowed:
        yield f"{code}: line numbers {missing[:10]} are missing, {allowed} bookings explain a gap"
    if len(set(numbers)) != len(numbers):
        yield f"{code}: line numbers {[no for no, n in Counter(numbers).items() if n > 1]} were given twice"


def _places(code: str, line: Sequence[Row], booked: Sequence[Row]) -> Iterator[str]:
    """Everybody stands where the booking was accepted, and at their first one."""
    arrivals = {row["id"]: row["arrival_no"] for row in booked}
    for row in line:
        if row["appointment_id"] in arrivals and arrivals[row["appointment_id"]] != row["line_no"]:
            yield (
                f"{code}: registration {row['no']} stands at {row['line_no']}, its booking was accepted as "
                f"{arrivals[row['appointment_id']]}"
            )


def _order(code: str, line: Sequence[Row], journal: Sequence[Row]) -> Iterator[str]:
    first = _first_arrivals(journal)
    known = {row["no"]: row for row in line}
    for no in first:
        if no not in known:
            yield f"{code}: registration {no} reached the hospital, but stands in no line here"
    arrived = [known[no] for no in first if no in known]
    for before, after in pairwise(arrived):
        if before["line_no"] > after["line_no"]:
            yield (
                f"{code}: registration {after['no']} (line {after['line_no']}) reached the hospital after "
                f"{before['no']} (line {before['line_no']})"
            )
    reached = set(first)
    for row in line:
        ended = row["status"] in ("registered", "failed") and row["refused_code"] != _UNASKED
        if ended and row["no"] not in reached:
            yield f"{code}: registration {row['no']} is {row['status']} here, but never reached the hospital"


def _first_arrivals(journal: Sequence[Row]) -> list[str]:
    """Registration numbers in the order in which each first came, accepted or not."""
    calls = [row for row in journal if row.get("method") == "POST" and row.get("path") == "/registrations"]
    calls.sort(key=lambda row: row["received_at"])
    numbers = (_number(row["body"]) for row in calls)
    return list(dict.fromkeys(no for no in numbers if no is not None))


def _number(body: str) -> str | None:
    try:
        content: Any = json.loads(body)
    except ValueError:
        return None
    found = content.get("registration_no") if isinstance(content, Mapping) else None
    return found if isinstance(found, str) else None


def _admitted(scene: Scene, code: str, line: Sequence[Row]) -> Iterator[str]:
    """The hospital's own list of those it has registered."""
    theirs: dict[str, str] = {}
    for row in scene.ask(code, "registrations"):
        no = row["registration_no"]
        if no in theirs:
            yield f"{code}: the hospital registered {no} twice"
        theirs[no] = row["patient_no"]
    for patient_no, times in Counter(theirs.values()).items():
        if times > 1:
            yield f"{code}: patient {patient_no} was registered under {times} numbers"
    ours = {row["no"]: row for row in line}
    for no, row in ours.items():
        if row["status"] == "registered" and theirs.get(no) != row["patient_no"]:
            yield f"{code}: registration {no} is registered here, but not in the hospital under this patient number"
    for no in theirs if scene.finished else ():
        if no in ours and ours[no]["status"] != "registered":
            yield f"{code}: the hospital registered {no}, but it is {ours[no]['status']} here"
