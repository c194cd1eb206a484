"""What came of the registrations: by the platform's rows and by the hospital's own journal and list."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import psycopg

from bench import stack
from bench.stack import Stack

_LINE = """
SELECT a.id AS appointment_id, a.person_id, r.no, r.line_no, r.status, n.patient_no
FROM appointment a LEFT JOIN registration r ON r.person_id = a.person_id
LEFT JOIN patient_number n ON n.person_id = a.person_id
"""
_NOTICES = """
SELECT r.no, count(n.id) FROM registration r LEFT JOIN notice n ON n.subject = r.id AND n.template = 'registered'
WHERE r.status = 'registered' GROUP BY r.no
"""
_DEAD = "SELECT count(*) FROM task WHERE status = 'dead'"


@dataclass
class Counts:
    """`lost`: accepted, but not registered on both sides and told. `doubled`: registered, entered or told twice.
    `out_of_order`: reached the hospital after somebody who stood behind, by the line or by the order in which the
    bookings were accepted."""

    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    dead_tasks: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def count(running: Stack, accepted: int, order: Sequence[UUID]) -> Counts:
    """`accepted` bookings were answered, whatever the database says; those of the persons in `order` in this order."""
    arrived = _arrivals(stack.ask_double(running, "journal"))
    admitted = stack.ask_double(running, "registrations")
    with psycopg.connect(running.database_url) as db:
        rows = [dict(zip(("appointment", "person", "no", "line_no", "status", "patient_no"), row, strict=True))
                for row in db.execute(_LINE)]  # fmt: skip
        notices: dict[str, int] = dict(db.execute(_NOTICES).fetchall())
        dead = db.execute(_DEAD).fetchone()
    found = Counts(accepted=accepted, dead_tasks=dead[0] if dead else 0)
    theirs = {str(row["registration_no"]): row["patient_no"] for row in admitted}
    good = {row["person"] for row in rows if _is_good(row, theirs) and notices.get(row["no"], 0) > 0}
    found.lost = accepted - len(good)
    entries = Counter(row["person"] for row in rows if row["no"] is not None)
    numbers = Counter(str(row["patient_no"]) for row in admitted)
    found.doubled = sum(
        times - 1 for tally in (entries, numbers, Counter(notices)) for times in tally.values() if times > 1
    )
    lines = {row["no"]: row["line_no"] for row in rows if row["no"] is not None}
    found.out_of_order = max(inversions(arrived, lines), inversions(*_by_acceptance(arrived, rows, order)))
    return found


def _by_acceptance(
    arrived: Sequence[str], rows: Sequence[Mapping[str, Any]], order: Sequence[UUID]
) -> tuple[list[str], dict[str, int]]:
    """Of those whose order of acceptance is known: registration numbers as they arrived, and their places."""
    accepted = {person: place for place, person in enumerate(order, 1)}
    places = {row["no"]: accepted[row["person"]] for row in rows if row["no"] and row["person"] in accepted}
    return [no for no in arrived if no in places], places


def inversions(arrived: Iterable[str], places: Mapping[str, int]) -> int:
    """How many reached the hospital after one with a later place; one that stands in no line counts too."""
    last = wrong = 0
    for no in arrived:
        place = places.get(no, 0)
        wrong += place < last
        last = max(last, place)
    return wrong


def _is_good(row: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    number = row["patient_no"]
    return bool(row["status"] == "registered" and number is not None and theirs.get(str(row["no"])) == number)


def _arrivals(journal: Iterable[Mapping[str, Any]]) -> list[str]:
    """Registration numbers in the order in which each first came to the hospital."""
    calls = sorted((row["received_at"], row["body"]) for row in journal if row.get("path") == "/registrations")
    return list(dict.fromkeys(json.loads(body)["registration_no"] for _, body in calls))
