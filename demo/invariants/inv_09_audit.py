"""9. Every state change has its audit entry, the chain is whole, and no row that carries money was changed behind the
program's back.

Hashes and check fields are computed anew by formulas of our own (`sealing`).
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from demo.invariants.histories import histories, stateful_tables
from demo.invariants.scene import Row, Scene
from demo.invariants.sealing import CHECKED, GENESIS, check_field, check_key, entry_hash

SEALED_WITHIN_S = 5.0
_CHAIN = "SELECT * FROM audit_entry WHERE seq IS NOT NULL ORDER BY seq"
_UNSEALED = """
SELECT count(*) AS entries, extract(epoch FROM clock_timestamp() - min(at)) AS oldest_s, min(id) AS first
FROM audit_entry WHERE seq IS NULL
"""
_CHECKED = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = current_schema() AND column_name = 'check_field'
"""
# Personal data that left the house: each time somebody has read it first. A registration is asked for with the person's
# own data, a trial too; a package is opened to be delivered.
_UNREAD = """
SELECT 'registration ' || r.no AS what FROM registration r
WHERE r.command_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit_entry e WHERE e.subject_id = r.person_id AND e.action = 'read.person')
UNION ALL
SELECT 'settlement ' || s.no FROM settlement s
WHERE s.trial_command_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit_entry e WHERE e.subject_id = s.person_id AND e.action = 'read.person')
UNION ALL
SELECT 'package of claim ' || c.no FROM claim_package p JOIN claim c ON c.id = p.claim_id
WHERE p.delivered_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit_entry e WHERE e.subject_id = p.id AND e.action LIKE 'read.claim\\_package.%')
UNION ALL
SELECT 'message ' || m.id FROM message m
WHERE NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.subject_id = m.id AND e.action = 'message.receive')
"""


def check(scene: Scene) -> list[str]:
    found = [*_entries(scene), *_chain(scene), *_unsealed(scene), *_check_fields(scene)]
    return found + [f"{row['what']}: no audit entry says that its data were read" for row in scene.rows(_UNREAD)]


def _entries(scene: Scene) -> Iterator[str]:
    """The last change that the trail knows of is the state that the row is in. Rows first, then the trail: a change in
    between is in both or in the trail alone."""
    states = {table: list(_select(scene, table, ("id", "status"))) for table in stateful_tables(scene)}
    trail = histories(scene)
    for table, rows in states.items():
        for row in rows:
            known = [change["to_status"] for change in trail.get((table, row["id"]), ())]
            is_right = row["status"] in known if not scene.finished else known[-1:] == [row["status"]]
            if not is_right:
                last = known[-1] if known else "nothing"
                yield f"{table} {row['id']} is {row['status']}, its audit trail ends with {last}"


def _chain(scene: Scene) -> Iterator[str]:
    seq, prev = 0, GENESIS
    for entry in scene.rows(_CHAIN):
        if entry["seq"] != seq + 1:
            yield f"the audit chain has no entry {seq + 1}"
            return
        if entry["prev_hash"] != prev or entry["hash"] != entry_hash(prev, seq + 1, entry):
            yield f"audit entry {entry['id']}, number {entry['seq']} of the chain, does not fit"
            return
        seq, prev = entry["seq"], entry["hash"]


def _unsealed(scene: Scene) -> Iterator[str]:
    row = scene.rows(_UNSEALED)[0]
    if row["entries"] and row["oldest_s"] > SEALED_WITHIN_S:
        yield f"{row['entries']} audit entries are not sealed, the oldest ({row['first']}) for {row['oldest_s']:.1f} s"


def _check_fields(scene: Scene) -> Iterator[str]:
    if not scene.master_key:
        yield "the check fields cannot be verified without the master key"
        return
    key = check_key(scene.master_key)
    for name in sorted(row["table_name"] for row in scene.rows(_CHECKED)):
        if name not in CHECKED:
            yield f"table {name} has a check field, but nobody has written down what it covers"
            continue
        for row in _select(scene, name, ("id", "check_field", *CHECKED[name])):
            if row["check_field"] != check_field(key, name, row):
                yield f"{name} {row['id']} was changed behind the program's back"


def _select(scene: Scene, table: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Some columns of every row of a table."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    wanted = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table))
    url = scene.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(url, row_factory=dict_row) as connection, connection.cursor() as cursor:
        cursor.execute(wanted)
        yield from cursor
