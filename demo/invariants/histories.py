"""Every change of a state as the audit trail has it, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from demo.invariants.scene import Row, Scene

History = list[Row]
_CHANGES = """
SELECT id, subject_type, subject_id, from_status, to_status FROM audit_entry
WHERE to_status IS NOT NULL ORDER BY id
"""
# A table with a state machine is known by these columns.
_STATEFUL = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = current_schema() AND column_name IN ('id', 'status', 'status_since')
GROUP BY table_name HAVING count(*) = 3 ORDER BY table_name
"""


def histories(scene: Scene) -> Mapping[tuple[str, UUID], History]:
    """(table, id) -> its changes in order. Two of one row cannot overtake each other: the row is locked from its change
    to the commit, and the entry is inserted in between."""
    found: dict[tuple[str, UUID], History] = {}
    for row in scene.rows(_CHANGES):
        found.setdefault((row["subject_type"], row["subject_id"]), []).append(row)
    return found


def stateful_tables(scene: Scene) -> list[str]:
    return [row["table_name"] for row in scene.rows(_STATEFUL)]
