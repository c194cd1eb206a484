"""Applying what a hospital pushed: each row once, newer versions only, parents before children."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, islice
from operator import attrgetter

from sqlalchemy import func, select

from app.core.work import Work
from app.exchange.service import OpenBatch, UnreadRow, Verdict
from app.record import balance
from app.record.plans import plan_anew
from app.record.rows import ROW_TYPES
from app.record.section import WAITING, Applied, Section

_UNJUDGED = Verdict("", "", WAITING, None)


def apply(work: Work, batches: Sequence[OpenBatch]) -> list[list[Verdict]]:
    """Store the rows of record batches of one hospital as if they were one batch; applying them twice changes nothing.
    The verdicts of each batch, in the order of its rows.

    1. One worker at a time for a hospital, so that two cannot apply two versions of a row in turn.
    2. Type by type, parents first: read the contract, find the parent, leave out what is not newer, store the rest.
    3. Look at every bill that was touched: does it balance now?

    Of a batch that has verdicts only the rows that waited for their parent are judged again.
    """
    hospital_id = batches[0].party_id
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"record:{hospital_id}", 0))
    work.session.execute(select(lock))
    plan_anew(work)
    rows = [batch.unread() for batch in batches]
    applied = Applied([verdict for batch, its in zip(batches, rows, strict=True) for verdict in _so_far(batch, its)])
    sections = defaultdict[str, dict[int, UnreadRow]](dict)
    for place, (row, before) in enumerate(zip(chain(*rows), applied.verdicts, strict=True)):
        if before.verdict == WAITING:
            sections[row.type][place] = row
    for type_name in ROW_TYPES:
        if pushed := sections.pop(type_name, None):
            Section(work, hospital_id, type_name, pushed).apply(applied)
    for place, row in chain(*(unknown.items() for unknown in sections.values())):
        applied.verdicts[place] = Verdict(row.type, row.key, "refused", "unknown_type")
    balance.examine(work, applied.bill_ids, applied.visit_ids)
    _tell(work, batches[0], applied)
    verdicts = iter(applied.verdicts)
    return [list(islice(verdicts, len(its))) for its in rows]


def _so_far(batch: OpenBatch, rows: Sequence[UnreadRow]) -> Sequence[Verdict]:
    """What is not judged yet waits."""
    return batch.verdicts if len(batch.verdicts) == len(rows) else [_UNJUDGED] * len(rows)


def any_waits(verdicts: Sequence[Verdict]) -> bool:
    """Whether a row's parent has not come."""
    return WAITING in map(attrgetter("verdict"), verdicts)


def _tell(work: Work, batch: OpenBatch, applied: Applied) -> None:
    if applied.bill_ids:
        work.emit("record.bills_changed", batch.id, bill_ids=[str(i) for i in sorted(applied.bill_ids)])
    if applied.reversed_bill_ids:
        work.emit("record.e_bills_reversed", batch.id, bill_ids=[str(i) for i in sorted(applied.reversed_bill_ids)])
    if applied.appointment_nos:
        numbers = sorted(applied.appointment_nos)
        work.emit("record.visits_arrived", batch.id, hospital_id=str(batch.party_id), appointment_nos=numbers)
