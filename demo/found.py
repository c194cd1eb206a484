"""Whether the night found exactly what the parties say they have altered: no row less, no row more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

SETS = ("111", "110", "101", "100", "011", "010", "001")
_RUN = "SELECT id FROM reconciliation_run WHERE kind = 'parties' AND business_date = %s ORDER BY attempt DESC LIMIT 1"
_SETS = """
    SELECT c.name, c.count FROM reconciliation_set_count c JOIN reconciliation_statement s ON s.id = c.statement_id
    WHERE s.overall AND s.run_id = %s
"""
_DIFFER = "SELECT amount_differs, status_differs FROM reconciliation_statement WHERE overall AND run_id = %s"
_DIFFERENCES = "SELECT kind, clearing_no, found_set FROM reconciliation_difference WHERE last_run_id = %s"
_BOOKED = "SELECT clearing_no FROM claim_bill WHERE business_date = %s AND booked_at IS NOT NULL"


@dataclass
class Expected:
    """Presence at hospital, platform and insurer of every number that is not the same everywhere; numbers whose
    amounts or statuses differ."""

    presence: dict[str, str] = field(default_factory=dict)
    amount: set[str] = field(default_factory=set)
    status: set[str] = field(default_factory=set)


def night(db: psycopg.Connection[Any], day: str, altered: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
    """The seven sets and the differences of the last run, and whether they are the alterations. `altered`: party's code
    -> what it says it did to its books."""
    run = db.execute(_RUN, [day]).fetchone()
    if run is None:
        return {**dict.fromkeys(SETS, 0), "amount_differs": 0, "status_differs": 0, "found_all": False}
    sets = {name: int(count) for name, count in db.execute(_SETS, run).fetchall()}
    amount, status = db.execute(_DIFFER, run).fetchone() or (0, 0)
    booked = {number for (number,) in db.execute(_BOOKED, [day]).fetchall()}
    found = _found(db.execute(_DIFFERENCES, run).fetchall())
    return {
        **{name: sets.get(name, 0) for name in SETS},
        "amount_differs": amount,
        "status_differs": status,
        "found_all": found is not None and found == expected(booked, altered),
    }


def _found(rows: Iterable[tuple[str, str, str | None]]) -> Expected | None:
    """The differences of a run; None if one is of a kind that nobody has made."""
    found = Expected()
    for kind, number, presence in rows:
        if kind == "presence" and presence:
            found.presence[number] = presence
        elif kind == "amount":
            found.amount.add(number)
        elif kind == "status":
            found.status.add(number)
        else:
            return None
    return found


def expected(booked: set[str], altered: Mapping[str, Iterable[Mapping[str, Any]]]) -> Expected:
    """What must differ, from the platform's numbers and the parties' own words."""
    here = {place: set(booked) for place in "HPI"}
    wanted, touched = Expected(), set()
    for code, changes in altered.items():
        mine = here[code[0]]
        for change in changes:
            number, what = change["clearing_no"], change["what"]
            touched.add(number)
            if what == "dropped":
                mine.discard(number)
            elif what == "added":
                mine.add(number)
            elif what == "amount":
                wanted.amount.add(number)
            else:
                wanted.status.add(number)
    for number in touched:
        presence = "".join(str(int(number in here[place])) for place in "HPI")
        if presence != "111":
            wanted.presence[number] = presence
    return wanted
