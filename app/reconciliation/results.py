"""Keeping what a run found: figures, and a work list whose entries keep their identity from run to run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.work import Work
from app.reconciliation import arriving, collecting, queries, rules
from app.reconciliation.comparison import Compared
from app.reconciliation.engine import outcome as engine
from app.reconciliation.engine.ledger import HOSPITAL, INSURER
from app.reconciliation.findings import Seen, found
from app.reconciliation.integrity import Integrity
from app.reconciliation.matching import match_neighbours
from app.reconciliation.models import Difference, Run, SetCount, Statement, Total
from app.reconciliation.states import LIVE, DifferenceState, differences, runs

_ENDED = (DifferenceState.RESOLVED, DifferenceState.CLEARED)


@dataclass(frozen=True)
class Changes:
    """What a run changes in the work list of its date; a dry run only counts it."""

    new: list[Seen]
    still: list[tuple[Difference, Seen]]
    healed: list[Difference]


def store(work: Work, run_id: UUID, compared: Compared, integrity: Integrity) -> None:
    """1. Nobody else decides about this date. 2. Figures. 3. Differences: new, still there, healed. 4. Rows that a
    neighbouring date makes whole. 5. The run ends, and its reports are written."""
    run = work.session.scalars(select(Run).where(Run.id == run_id).with_for_update()).one()
    collecting.lock_day(work, run.business_date)
    arriving.keep_own(work, run, compared.material.platform)
    if compared.outcome is not None:
        _store_figures(work, run, compared, compared.outcome)
    apply(work, run, changes(work.session, run, compared, integrity))
    match_neighbours(work, run)
    late = queries.overdue(work.session, run.business_date)
    differences.move(work, late, "overdue", values={"note": "超过跨日等待期限仍未出现"}, lenient=True)
    values = {"compared_at": work.now, "checks": integrity.as_json(), "counts": _counts(compared)}
    runs.move(work, [run.id], _verdict(work, run, compared), values=values)
    work.later("reconciliation.report", run.id)


def changes(session: Session, run: Run, compared: Compared, integrity: Integrity) -> Changes:
    """The work list of the date against what was seen. What could not be looked at this time is left alone."""
    known = {(row.kind, row.key): row for row in queries.differences_of_day(session, run.business_date)}
    seen = found(compared, integrity)
    names = {(one.kind, one.key) for one in seen}
    return Changes(
        [one for one in seen if (one.kind, one.key) not in known],
        [(known[one.kind, one.key], one) for one in seen if (one.kind, one.key) in known],
        [row for name, row in known.items() if name not in names and _was_looked_at(row, run, compared)],
    )


def apply(work: Work, run: Run, change: Changes) -> None:
    for one in change.new:
        _begin(work, run, one)
    for row, one in change.still:
        for name, value in one.values.items():
            setattr(row, name, value)
        row.last_run_id = run.id
    # What a neighbouring date has made whole stays so; matching looks at it again.
    again = [row.id for row, _ in change.still if row.status in _ENDED and row.matched_on is None]
    differences.move(work, again, "reopen", values={"note": f"第{run.attempt}次对账仍然存在"})
    healed = [row.id for row in change.healed if row.status in LIVE]
    for row in change.healed:
        row.matched_on = None
    differences.move(work, healed, "clear", values={"note": f"第{run.attempt}次对账已一致"})


def _begin(work: Work, run: Run, one: Seen) -> None:
    row = Difference(
        business_date=run.business_date,
        kind=one.kind,
        key=one.key,
        first_run_id=run.id,
        last_run_id=run.id,
        **one.values,
    )
    until = run.business_date + timedelta(rules.DAY_CUT_DAYS)
    if one.kind == "presence" and until >= work.clock.today():
        row.suspended_until = until
        differences.start(work, row, DifferenceState.SUSPENDED)
    else:
        differences.start(work, row, DifferenceState.OPEN)


def _was_looked_at(row: Difference, run: Run, compared: Compared) -> bool:
    """Whether the run would have seen the difference if it were still there."""
    if row.kind == "tampered":
        return True
    material = compared.material
    if compared.outcome is None or (run.hospital_id is not None and row.hospital_id != run.hospital_id):
        return False
    sides = ((HOSPITAL, row.hospital_id), (INSURER, row.insurer_id))
    return all(_is_here(compared, role, party_id, material.blocked[role]) for role, party_id in sides)


def _is_here(compared: Compared, role: str, party_id: UUID | None, blocked: Collection[str]) -> bool:
    if party_id is None:
        return not blocked
    return party_id in {compared.material.ids[code] for code, _ in compared.material.arrived[role]}


def _store_figures(work: Work, run: Run, compared: Compared, outcome: engine.Outcome) -> None:
    ids = compared.material.ids
    _store_statement(work, Statement(run_id=run.id, overall=True), outcome.overall)
    for (hospital, insurer), figures in outcome.groups.items():
        row = Statement(
            run_id=run.id, overall=False, hospital_id=ids.get(hospital or ""), insurer_id=ids.get(insurer or "")
        )
        _store_statement(work, row, figures)


def _store_statement(work: Work, row: Statement, figures: engine.Statement) -> None:
    row.amount_differs, row.status_differs = figures.amount_differs, figures.status_differs
    work.add(row)
    work.session.flush()
    work.add(*(SetCount(statement_id=row.id, name=name, count=count) for name, count in figures.sets.items()))
    work.add(*(Total(statement_id=row.id, scope=scope, **asdict(total)) for scope, total in figures.totals.items()))


def _counts(compared: Compared) -> dict[str, dict[str, int]]:
    outcome = compared.outcome
    return {} if outcome is None else {role: asdict(count) for role, count in outcome.parties.items()}


def _verdict(work: Work, run: Run, compared: Compared) -> str:
    if any(compared.material.blocked.values()):
        return "block"
    return "differ" if any(row.status in LIVE for row in queries.seen_in(work.session, run.id)) else "balance"
