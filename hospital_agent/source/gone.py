"""Fee lines that a changed bill has no more: the source has deleted them, and only their bill shows that something was
changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hospital_agent.batch import Row
from hospital_agent.mapping.model import Entity, SourceMapping
from hospital_agent.source.records import Reading, Records, read_rows
from hospital_agent.store.lines import SentLine, zero

BILLS = 50
"""In one reading."""


def read_bills(
    mapping: SourceMapping, records: Records, keys: Sequence[str], sent: Sequence[SentLine], into: Reading
) -> list[str]:
    """Add to `into` these bills with all their lines, and a zero row for each of the `sent` lines that is gone; the
    keys of the bills that are done with.

    Lines are taken for gone only where what is left adds up to the bill: a bill that is being worked on, or whose lines
    are not found, is looked at again.
    """
    bills = _rows(mapping, records, mapping.entities["bill"], mapping.entities["bill"].key, keys, into)
    line = mapping.entities["fee_line"]
    left = _rows(mapping, records, line, line.fields["bill_key"].columns, keys, into)
    there = {row.key for row in left} | {key for kind, key, _ in into.bad if kind == "fee_line"}
    left_fen, gone = defaultdict[str, int](int), defaultdict[str, list[SentLine]](list)
    for row in left:
        left_fen[row.data["bill_key"]] += row.data["amount_fen"]
    for one in sent:
        if one.key not in there:
            gone[one.bill_key].append(one)
    unclear = {bill.key for bill in bills if gone[bill.key] and left_fen[bill.key] != bill.data["total_fen"]}
    unclear |= {key for kind, key, _ in into.bad if kind == "bill"}
    for bill in bills:
        if bill.key not in unclear:
            into.rows += [zero(one, bill) for one in gone[bill.key]]
    return [key for key in keys if key not in unclear]


def _rows(
    mapping: SourceMapping, records: Records, entity: Entity, columns: Sequence[str], keys: Sequence[str], into: Reading
) -> list[Row]:
    found = Reading()
    read_rows(mapping, entity, records.where(entity, columns, keys), found)
    into.rows += found.rows
    into.bad += found.bad
    return found.rows
