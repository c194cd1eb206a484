"""The steps of a run of funds as tasks: begin → call with no session open → finish."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from app.core.errors import NotFound, PartnerFault, TryLater
from app.core.privacy import Privacy
from app.core.tasks import Job
from app.core.work import Runtime
from app.exchange import service as exchange
from app.exchange.service import Endpoint
from app.gateways import Gateways
from app.identity import service as identity
from app.identity.service import MerchantCredentials
from app.reconciliation import queries, rules, service
from app.reconciliation.funds import comparison, own, running
from app.reconciliation.funds.bills import BANK, BillError, read
from app.reconciliation.models import PartyLedger, Run
from app.reconciliation.states import LedgerState, RunState

_NOT_READY = frozenset({"bill_not_ready", "statement_not_ready"})


@dataclass(frozen=True)
class _Source:
    """Who has the bill; one of the two."""

    role: str
    day: date
    merchant: MerchantCredentials | None = field(default=None, repr=False)
    bank: Endpoint | None = field(default=None, repr=False)

    def ask(self, gateways: Gateways, message_id: str) -> bytes | None:
        if self.bank is not None:
            return gateways.bank.statement(self.bank, message_id, self.day)
        assert self.merchant is not None
        return gateways.pay.bill(self.merchant, self.day, self.role)


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
        source = _source(session, runtime.privacy, run, ledger)
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
        scene = own.gather(session, runtime.privacy, run)
    found = comparison.compare(scene)
    with runtime.work(finish=[job]) as work:
        running.store(work, run.id, scene, found)


def _source(session: Session, privacy: Privacy, run: Run, ledger: PartyLedger) -> _Source | str:
    """Where the bill is, or the code for why it is nowhere."""
    assert ledger.party_id is not None
    try:
        if ledger.role == BANK:
            bank = exchange.endpoint(session, privacy, ledger.party_id)
            return _Source(ledger.role, run.business_date, bank=bank)
        merchant = identity.merchant_credentials(session, privacy, party_id=ledger.party_id)
        return _Source(ledger.role, run.business_date, merchant=merchant)
    except NotFound:
        return "no_endpoint" if ledger.role == BANK else "no_merchant"


def _block(runtime: Runtime, job: Job, code: str) -> None:
    with runtime.work(finish=[job]) as work:
        service.block(work, job.subject, code)


def _no_bill(runtime: Runtime, job: Job, run: Run, fault: PartnerFault) -> None:
    left_s = (run.collect_until - runtime.clock.now()).total_seconds()
    is_early = fault.code in _NOT_READY
    if (is_early or not fault.permanent) and left_s > 0:
        raise TryLater(min(rules.BILL_RETRY_S if is_early else rules.RETRY_S, left_s + 0.1))
    code = "bill_not_ready" if is_early else "partner_refused" if fault.permanent else "not_reached"
    _block(runtime, job, code)
