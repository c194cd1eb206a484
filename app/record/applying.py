"""Applying what a hospital pushed: each row once, newer versions only, parents before children."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, select

from app.core.work import Work
from app.exchange.service import OpenBatch, UnreadRow, Verdict
from app.record import balance
from app.record.rows import ROW_TYPES
from app.record.section import WAITING, Applied, Section

_UNJUDGED = Verdict("", "", "", None)


def apply(work: Work, batch: OpenBatch) -> Applied:
    """Store the rows of a record batch; applying it twice changes nothing.

    1. One batch of a hospital at a time, so that two workers cannot apply two versions of a row in turn.
    2. Type by type, parents first: read the contract, find the parent, leave out what is not newer, store the rest.
    3. Look at every bill that was touched: does it balance now?

    Of a batch that has verdicts only the rows that waited for their parent are judged again.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"record:{batch.party_id}", 0))))
    rows, before = batch.unread(), batch.verdicts
    again = len(before) == len(rows)
    sections: dict[str, dict[int, UnreadRow]] = defaultdict(dict)
    for place, row in enumerate(rows):
        if not (again and before[place].verdict != WAITING):
            sections[row.type][place] = row
    applied = Applied(list(before) if again else [_UNJUDGED] * len(rows))
    for type_name in ROW_TYPES:
        if pushed := sections.get(type_name):
            Section(work, batch.party_id, type_name, pushed).apply(applied)
    for pushed in (sections[name] for name in sections.keys() - ROW_TYPES.keys()):
        for place, row in pushed.items():
            applied.verdicts[place] = Verdict(row.type, row.key, "refused", "unknown_type")
    balance.examine(work, applied.bill_ids, applied.visit_ids)
    _tell(work, batch, applied)
    return applied


def _tell(work: Work, batch: OpenBatch, applied: Applied) -> None:
    if applied.bill_ids:
        work.emit("record.bills_changed", batch.id, bill_ids=[str(i) for i in sorted(applied.bill_ids)])
    if applied.reversed_bill_ids:
        work.emit("record.e_bills_reversed", batch.id, bill_ids=[str(i) for i in sorted(applied.reversed_bill_ids)])
    if applied.appointment_nos:
        numbers = sorted(applied.appointment_nos)
        work.emit("record.visits_arrived", batch.id, hospital_id=str(batch.party_id), appointment_nos=numbers)
