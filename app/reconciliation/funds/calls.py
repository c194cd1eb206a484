"""The steps of a run of funds as tasks: begin → call with no session open → finish."""

from __future__ import annotations

from datetime import date

from app.core.errors import PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime
from app.gateways import Gateways
from app.reconciliation import queries, rules, service
from app.reconciliation.funds import comparison, own, running, sources
from app.reconciliation.funds.bills import BillError, read
from app.reconciliation.models import Run
from app.reconciliation.states import LedgerState, RunState


def night(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Fired by the clock once the bills of the day before are to be had."""
    with runtime.work(finish=[job]) as work:
        service.funds_night(work, date.fromisoformat(job.args["day"]))


def fetch(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Get one bill; while it is not made or not to be had, ask again until the time is up."""
    with runtime.read() as session:
        ledger = queries.ledger(session, job.subject)
        if ledger is None or ledger.status != LedgerState.WAITING:
            return
        run = queries.run(session, ledger.run_id)
        assert run is not None
        assert ledger.party_id is not None
        source = sources.source(session, runtime.privacy, (ledger.role, ledger.party_id), run.business_date)
    if isinstance(source, str):
        _block(runtime, job, source)
        return
    try:
        content = source.ask(gateways, f"bill-{job.subject.hex}-{job.fence}")
        bill = read(source.role, content)
    except PartnerFault as fault:
        _no_bill(runtime, job, run, fault)
    except BillError as error:
        _block(runtime, job, error.code)
    else:
        with runtime.work(finish=[job]) as work:
            running.arrived(work, job.subject, bill, content)


def compare(runtime: Runtime, _: Gateways, job: Job) -> None:
    """All bills are here or given up: hold them against our books."""
    with runtime.read() as session:
        run = queries.run(session, job.subject)
        if run is None or run.status != RunState.COMPARING:
            return
        scene = own.gather(session, runtime.privacy, run.business_date, own.bills(session, run.id))
    found = comparison.compare(scene)
    with runtime.work(finish=[job]) as work:
        running.store(work, run.id, scene, found)


def _block(runtime: Runtime, job: Job, code: str) -> None:
    with runtime.work(finish=[job]) as work:
        service.block(work, job.subject, code)


def _no_bill(runtime: Runtime, job: Job, run: Run, fault: PartnerFault) -> None:
    left_s = (run.collect_until - runtime.clock.now()).total_seconds()
    is_early = sources.is_early(fault)
    if (is_early or not fault.permanent) and left_s > 0:
        raise TryLater(min(rules.BILL_RETRY_S if is_early else rules.RETRY_S, left_s + 0.1))
    _block(runtime, job, sources.why(fault))
