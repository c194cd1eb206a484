"""Keeping what a run found: figures, and a work list whose entries keep their identity from run to run.

Differences are written set by set: a night may have tens of thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Column, MetaData, Table, Uuid, any_, literal, select, update
from sqlalchemy.orm import Session

from app.core.columns import add_rows
from app.core.ids import new_id
from app.core.work import Work
from app.reconciliation import collecting, queries, rules
from app.reconciliation.comparison import Compared
from app.reconciliation.engine import outcome as engine
from app.reconciliation.engine.ledger import HOSPITAL, INSURER
from app.reconciliation.findings import Seen, found
from app.reconciliation.integrity import Integrity
from app.reconciliation.matching import match_neighbours
from app.reconciliation.models import Difference, Run, SetCount, Statement, Total
from app.reconciliation.queries import Known
from app.reconciliation.states import LIVE, DifferenceState, differences, runs

_ENDED = (DifferenceState.RESOLVED, DifferenceState.CLEARED)
# What a run says about a difference, anew every time.
_SAID = (
    *("clearing_no", "found_set", "role", "line", "hospital_id", "insurer_id", "hospital_fen", "hospital_status"),
    *("platform_fen", "platform_status", "insurer_fen", "insurer_status", "bank_fen", "bank_status", "ledger_fen"),
    "cause",
)
_TABLE: Table = Difference.__table__  # type: ignore[assignment]
_SEEN_AGAIN = Table(
    "seen_again",
    MetaData(),
    *(Column(name, _TABLE.c[name].type) for name in ("id", *_SAID)),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


@dataclass(frozen=True)
class Changes:
    """What a run changes in the work list of its date; a dry run only counts it."""

    new: list[Seen]
    still: list[tuple[Known, Seen]]
    healed: list[Known]

    def as_json(self) -> dict[str, list[dict[str, str]]]:
        """The names of the differences that a dry run shows, by what would become of them."""
        return {
            "new": [_name(one) for one in self.new],
            "still": [_name(one) for _, one in self.still],
            "healed": [{"kind": row.kind, "key": row.key, "cause": row.cause} for row in self.healed],
        }


def _name(one: Seen) -> dict[str, str]:
    return {"kind": one.kind, "key": one.key, "cause": str(one.values["cause"])}


def store(work: Work, run_id: UUID, compared: Compared, integrity: Integrity) -> None:
    """1. Nobody else decides about this date. 2. Figures. 3. Differences: new, still there, healed. 4. Rows that a
    neighbouring date makes whole. 5. The run ends, and its reports are written."""
    run = work.session.scalars(select(Run).where(Run.id == run_id).with_for_update()).one()
    collecting.lock_day(work, run.business_date)
    if compared.outcome is not None:
        _store_figures(work, run, compared, compared.outcome)
    apply(work, run, changes(work.session, run, compared, integrity))
    match_neighbours(work, run)
    end(work, run, bool(any(compared.attendance.blocked.values())), integrity.as_json(), _counts(compared))


def end(work: Work, run: Run, is_blocked: bool, checks: dict[str, object], counts: dict[str, dict[str, int]]) -> None:
    """What was suspended long enough is open, the run has its verdict, and its reports are written."""
    late = queries.overdue(work.session, run.business_date)
    differences.move(work, late, "overdue", values={"note": "超过跨日等待期限仍未出现"}, lenient=True)
    event = "block" if is_blocked else "differ" if queries.has_live(work.session, run.id) else "balance"
    runs.move(work, [run.id], event, values={"compared_at": work.now, "checks": checks, "counts": counts})
    work.later("reconciliation.report", run.id)


def changes(session: Session, run: Run, compared: Compared, integrity: Integrity) -> Changes:
    """The work list of the date against what was seen. What could not be looked at this time is left alone."""
    return against(
        queries.known_of_day(session, run.business_date, rules.PARTIES_KINDS),
        found(compared, integrity),
        lambda row: _was_looked_at(row, run, compared),
    )


def against(known: Sequence[Known], seen: Sequence[Seen], was_looked_at: Callable[[Known], bool]) -> Changes:
    by_name = {(row.kind, row.key): row for row in known}
    names = {(one.kind, one.key) for one in seen}
    return Changes(
        [one for one in seen if (one.kind, one.key) not in by_name],
        [(by_name[one.kind, one.key], one) for one in seen if (one.kind, one.key) in by_name],
        [row for name, row in by_name.items() if name not in names and was_looked_at(row)],
    )


def apply(work: Work, run: Run, change: Changes) -> None:
    _begin(work, run, change.new)
    _renew(work, run, change.still)
    # What a neighbouring date has made whole stays so; matching looks at it again.
    again = [row.id for row, _ in change.still if row.status in _ENDED and row.matched_on is None]
    differences.move(work, again, "reopen", values={"note": f"第{run.attempt}次对账仍然存在"})
    matched = [row.id for row in change.healed if row.matched_on is not None]
    if matched:
        work.session.execute(
            update(Difference).where(Difference.id == any_(literal(matched, ARRAY(Uuid)))).values(matched_on=None)
        )
    healed = [row.id for row in change.healed if row.status in LIVE]
    differences.move(work, healed, "clear", values={"note": f"第{run.attempt}次对账已一致"})


def _begin(work: Work, run: Run, new: Sequence[Seen]) -> None:
    """A row that is missing may still appear on a neighbouring date; anything else is open at once."""
    until = run.business_date + timedelta(rules.DAY_CUT_DAYS)
    may_wait = until >= work.clock.today()
    waiting = [one for one in new if may_wait and one.kind in rules.MAY_WAIT]
    differences.start_many(work, [_row(run, one, until) for one in waiting], DifferenceState.SUSPENDED)
    others = [one for one in new if not (may_wait and one.kind in rules.MAY_WAIT)]
    differences.start_many(work, [_row(run, one, None) for one in others], DifferenceState.OPEN)


def _row(run: Run, one: Seen, suspended_until: date | None) -> dict[str, object]:
    return {
        "id": new_id(),
        "business_date": run.business_date,
        "kind": one.kind,
        "key": one.key,
        "first_run_id": run.id,
        "last_run_id": run.id,
        "suspended_until": suspended_until,
        **{name: one.values.get(name) for name in _SAID},
    }


def _renew(work: Work, run: Run, still: Sequence[tuple[Known, Seen]]) -> None:
    """What this run says about differences that are still there, in one UPDATE."""
    if not still:
        return
    _SEEN_AGAIN.create(work.session.connection())
    rows = [{"id": row.id, **{name: one.values.get(name) for name in _SAID}} for row, one in still]
    add_rows(work.session, _SEEN_AGAIN, rows)
    said = {name: _SEEN_AGAIN.c[name] for name in _SAID}
    work.session.execute(update(_TABLE).where(_TABLE.c.id == _SEEN_AGAIN.c.id).values(last_run_id=run.id, **said))


def _was_looked_at(row: Known, run: Run, compared: Compared) -> bool:
    """Whether the run would have seen the difference if it were still there."""
    if row.kind == "tampered":
        return True
    if compared.outcome is None or (run.hospital_id is not None and row.hospital_id != run.hospital_id):
        return False
    sides = ((HOSPITAL, row.hospital_id), (INSURER, row.insurer_id))
    return all(_is_here(compared, role, party_id, compared.attendance.blocked[role]) for role, party_id in sides)


def _is_here(compared: Compared, role: str, party_id: UUID | None, blocked: Collection[str]) -> bool:
    if party_id is None:
        return not blocked
    return party_id in {compared.attendance.ids[code] for code in compared.attendance.present[role]}


def _store_figures(work: Work, run: Run, compared: Compared, outcome: engine.Outcome) -> None:
    ids = compared.attendance.ids
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
