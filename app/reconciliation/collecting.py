"""Starting a run and asking every party for its book. Each function works inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.core.clock import Clock
from app.core.errors import Conflict, Invalid
from app.core.moments import EARLIEST
from app.core.work import Work
from app.exchange import service as exchange
from app.reconciliation import arriving, asking, queries, rules
from app.reconciliation.models import PartyLedger, Run
from app.reconciliation.states import LedgerState, RunState, ledgers, runs


@dataclass(frozen=True)
class Wanted:
    """Which night to run. `hospital` (a code) narrows it to one hospital's rows."""

    business_date: date
    started_by: str
    hospital: str | None = None
    wait: timedelta = rules.COLLECT_LIMIT


def require_day(clock: Clock, day: date) -> None:
    """Invalid `date_in_future`, `date_too_early`."""
    if day > clock.today():
        raise Invalid("date_in_future", "对账日期不能晚于今天", fields={"business_date": "晚于今天"})
    if day < EARLIEST:
        raise Invalid("date_too_early", "对账日期过早，请核对年份", fields={"business_date": "过早"})


def start(work: Work, wanted: Wanted) -> Run:
    """A new run that asks every party for its book; a run of the same kind that is under way is given back.

    Invalid `date_in_future`, `date_too_early`, Conflict `run_in_progress`, NotFound for an unknown hospital.
    """
    require_day(work.clock, wanted.business_date)
    lock_day(work, wanted.business_date)
    hospitals = _hospitals(work, wanted.hospital)
    scope = hospitals[0] if wanted.hospital else None
    under_way = running(work, rules.PARTIES, wanted.business_date)
    if under_way is not None and under_way.hospital_id != scope:
        raise Conflict("run_in_progress", "这一天的另一次对账正在进行，请稍后再试")
    if under_way is not None:
        return under_way
    run = Run(
        business_date=wanted.business_date,
        attempt=queries.last_attempt(work.session, rules.PARTIES, wanted.business_date) + 1,
        hospital_id=scope,
        started_by=wanted.started_by,
        collect_until=work.now + wanted.wait,
    )
    runs.start(work, run, RunState.COLLECTING)
    work.session.flush()
    for hospital_id in hospitals:
        _wait_for(work, run, "hospital", hospital_id)
    for insurer in exchange.parties(work.session, "insurer"):
        _wait_for(work, run, "insurer", insurer.id)
    work.later("reconciliation.deadline", run.id, run_at=run.collect_until + rules.DEADLINE_GRACE)
    arriving.close(work, run.id)
    return run


def lock_day(work: Work, day: date) -> None:
    """One decision about a business date at a time."""
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"reconciliation:{day}", 0))))


def ask_again(work: Work, ledger_id: UUID) -> None:
    """The hospital failed for the moment: the same question under a new command."""
    ledger = arriving.locked(work, ledger_id)
    if ledger is not None:
        asking.again(work, arriving.run_of(work, ledger), ledger)


def running(work: Work, kind: str, day: date) -> Run | None:
    """The run that is under way; one that has lost its task is closed."""
    run = queries.running(work.session, kind, day)
    if run is not None and run.collect_until + rules.GIVEN_UP_AFTER < work.now:
        runs.move(work, [run.id], "block", why="given up")
        return None
    return run


def _hospitals(work: Work, code: str | None) -> Sequence[UUID]:
    if code is None:
        return [hospital.id for hospital in exchange.parties(work.session, "hospital")]
    hospital = exchange.party_by_code(work.session, code)
    if hospital.kind != "hospital":
        raise Invalid("hospital_unknown", "没有这家医院", fields={"hospital": "不在可选范围内"})
    return [hospital.id]


def _wait_for(work: Work, run: Run, role: str, party_id: UUID) -> None:
    ledger = PartyLedger(run_id=run.id, party_id=party_id, role=role)
    ledgers.start(work, ledger, LedgerState.WAITING)
    if role == "hospital":
        asking.first(work, run, ledger)
    else:
        work.later("reconciliation.fetch", ledger.id)
