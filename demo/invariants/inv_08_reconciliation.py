"""8. The night's seven sets are disjoint and right, every declared row is accounted for, success and failure add up.

The parties' books are read from where they stand, compared again with plain sets, and the figures of the last run of
the business date must be these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from demo.invariants.books import ROLES, Book, books
from demo.invariants.comparison import SETS, Comparison, compare
from demo.invariants.scene import Row, Scene

_RUN = """
SELECT id, status, attempt, counts FROM reconciliation_run
WHERE kind = 'parties' AND business_date = %(day)s AND hospital_id IS NULL ORDER BY attempt DESC LIMIT 1
"""
_STATEMENTS = """
SELECT s.id, s.overall, h.code AS hospital, i.code AS insurer, s.amount_differs, s.status_differs
FROM reconciliation_statement s LEFT JOIN party h ON h.id = s.hospital_id LEFT JOIN party i ON i.id = s.insurer_id
WHERE s.run_id = %(run)s
"""
_SETS = """
SELECT c.statement_id, c.name, c.count FROM reconciliation_set_count c
JOIN reconciliation_statement s ON s.id = c.statement_id WHERE s.run_id = %(run)s
"""
_TOTALS = """
SELECT t.* FROM reconciliation_total t JOIN reconciliation_statement s ON s.id = t.statement_id WHERE s.run_id = %(run)s
"""
_DIFFERENCES = """
SELECT kind, key, clearing_no, found_set FROM reconciliation_difference
WHERE last_run_id = %(run)s AND kind IN ('presence', 'amount', 'status')
"""
_TOTAL_FIELDS = ("count", "amount_fen", "success_count", "success_amount_fen")


def check(scene: Scene) -> list[str]:
    day = scene.world["business_date"]
    runs = scene.rows(_RUN, day=day)
    if not runs or runs[0]["status"] in ("collecting", "comparing"):
        return [f"the night of {day} has not been compared"] if scene.finished else []
    run = runs[0]
    if run["status"] == "blocked":
        return [f"attempt {run['attempt']} of {day} is blocked: a party's book is missing or not what was declared"]
    own = books(scene)
    right = compare(own)
    statements = scene.rows(_STATEMENTS, run=run["id"])
    overall = [row for row in statements if row["overall"]]
    if len(overall) != 1:
        return [f"attempt {run['attempt']} of {day} has {len(overall)} overall statements"]
    return [
        *_counts(run["counts"] or {}, own),
        *_overall(scene, run, overall[0], right),
        *_parts(scene, run, statements, overall[0]),
        *_differences(scene, run, right),
    ]


def _counts(counts: Mapping[str, Mapping[str, int]], own: Mapping[str, Book]) -> Iterator[str]:
    """Declared rows = distinct numbers + extra rows of duplicates + bad rows, and the same in fen."""
    for role in ROLES:
        said, book = counts.get(role), own[role]
        if said is None:
            yield f"{role}: the run does not say how many rows were handed in"
            continue
        if said["rows"] != said["distinct"] + said["duplicate_rows"] + said["bad_rows"]:
            yield f"{role}: {said['rows']} rows were declared, the parts are others: {_parts_of(said)}"
        if said["readable_fen"] != said["distinct_fen"] + said["duplicate_fen"] + said["bad_fen"]:
            yield f"{role}: {said['readable_fen']} fen can be read, the parts add up to another sum"
        right = (book.declared, len(book.rows), len(book.duplicates), len(book.bad))
        if _parts_of(said) != right:
            yield f"{role}: (rows, distinct, duplicates, bad) are {_parts_of(said)} in the run, {right} in the books"
        sum_fen = sum(entry.amount_fen for entry in book.rows.values())
        if said["distinct_fen"] != sum_fen:
            yield f"{role}: {said['distinct_fen']} fen in the run, {sum_fen} in the books"


def _parts_of(said: Mapping[str, int]) -> tuple[int, ...]:
    return said["rows"], said["distinct"], said["duplicate_rows"], said["bad_rows"]


def _overall(scene: Scene, run: Row, overall: Row, right: Comparison) -> Iterator[str]:
    said = (row for row in scene.rows(_SETS, run=run["id"]) if row["statement_id"] == overall["id"])
    sets = {row["name"]: row["count"] for row in said}
    for name in SETS:
        if sets.get(name, 0) != len(right.sets[name]):
            yield f"set {name}: {sets.get(name, 0)} numbers in the run, {len(right.sets[name])} in the books"
    for what in ("amount_differs", "status_differs"):
        if overall[what] != len(getattr(right, what)):
            yield f"{what}: {overall[what]} in the run, {len(getattr(right, what))} in the books"
    totals = {row["scope"]: row for row in scene.rows(_TOTALS, run=run["id"]) if row["statement_id"] == overall["id"]}
    for scope, total in right.totals.items():
        figures = {name: totals[scope][name] for name in _TOTAL_FIELDS} if scope in totals else None
        if figures != asdict(total):
            yield f"total {scope}: {figures} in the run, {asdict(total)} in the books"


def _parts(scene: Scene, run: Row, statements: list[Row], overall: Row) -> Iterator[str]:
    """The statements of the pairs add up to the overall one, and success never exceeds its total."""
    whole: dict[str, int] = {}
    parts: dict[str, int] = {}
    figures = [(row["statement_id"], f"set {row['name']}", row["count"]) for row in scene.rows(_SETS, run=run["id"])]
    for row in scene.rows(_TOTALS, run=run["id"]):
        figures += [(row["statement_id"], f"{row['scope']}.{name}", row[name]) for name in _TOTAL_FIELDS]
        if row["success_count"] > row["count"] or row["success_amount_fen"] > row["amount_fen"]:
            yield f"total {row['scope']}: more succeeds than there is"
    figures += [(row["id"], what, row[what]) for row in statements for what in ("amount_differs", "status_differs")]
    for statement_id, name, value in figures:
        into = whole if statement_id == overall["id"] else parts
        into[name] = into.get(name, 0) + int(value)
    for name, value in whole.items():
        if parts.get(name, 0) != value:
            yield f"{name}: the pairs' statements add up to {parts.get(name, 0)}, overall it is {value}"


def _differences(scene: Scene, run: Row, right: Comparison) -> Iterator[str]:
    """The work list names exactly the rows that do not agree, each under its set."""
    seen: dict[str, set[str]] = {"presence": set(), "amount": set(), "status": set()}
    for row in scene.rows(_DIFFERENCES, run=run["id"]):
        seen[row["kind"]].add(f"{row['clearing_no']}:{row['found_set']}" if row["kind"] == "presence" else row["key"])
    presence = {f"{number}:{name}" for name, numbers in right.sets.items() if name != "111" for number in numbers}
    wanted = {"presence": presence, "amount": right.amount_differs, "status": right.status_differs}
    for kind, numbers in wanted.items():
        for number in sorted(numbers - seen[kind]):
            yield f"{kind} difference {number} is not in the work list"
        for number in sorted(seen[kind] - numbers):
            yield f"{kind} difference {number} is in the work list, but the books agree"
