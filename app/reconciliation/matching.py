"""Day-cut: a row that is missing on one business date and stands on a neighbouring one is matched and clears itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.core.work import Work
from app.reconciliation import queries, rules
from app.reconciliation.engine.ledger import PARTIES
from app.reconciliation.models import Difference, Run
from app.reconciliation.states import LIVE, differences


def match_neighbours(work: Work, run: Run) -> None:
    """Clear the presence differences of this run which, with those of dates nearby, show the number at all three
    parties with the same amount and status; open again those that a neighbouring date no longer makes whole."""
    work.session.flush()
    here, others = queries.with_neighbours(work.session, run, rules.DAY_CUT_DAYS)
    by_number: dict[str, list[Difference]] = defaultdict(list)
    for row in others:
        by_number[row.clearing_no or ""].append(row)
    for row in here:
        rows = [row, *by_number[row.clearing_no or ""]]
        if _is_whole(rows):
            _clear(work, rows)
        elif row.matched_on is not None:
            row.matched_on = None
            differences.move(work, [row.id], "reopen", values={"note": "相邻日期不再有对应的行"}, lenient=True)


def _is_whole(rows: Sequence[Difference]) -> bool:
    if not rules.complete([row.found_set or "000" for row in rows]):
        return False
    said = {
        (getattr(row, f"{role}_fen"), getattr(row, f"{role}_status"))
        for row in rows
        for role in PARTIES
        if getattr(row, f"{role}_fen") is not None
    }
    return len(said) == 1


def _clear(work: Work, rows: Sequence[Difference]) -> None:
    days = {row.id: row.business_date for row in rows}
    waiting = [row for row in rows if row.status in LIVE]
    for row in rows:
        row.matched_on = next(day for row_id, day in days.items() if row_id != row.id)
    notes = {row.id: f"与 {row.matched_on} 的记录匹配" for row in waiting}
    for row in waiting:
        differences.move(work, [row.id], "clear", values={"note": notes[row.id]})
