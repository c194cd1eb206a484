"""The steps of a night as tasks: begin → call with no session open → finish."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from uuid import UUID

from app.core.errors import PartnerFault, TryLater
from app.core.tasks import Job
from app.core.work import Runtime, Work
from app.gateways import Gateways
from app.reconciliation import books, comparison, insurer_books, integrity, queries, rules, service, totals
from app.reconciliation.engine import outcome_file, parts
from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.engine.ledger_file import LedgerFileError
from app.reconciliation.engine.outcome import combine
from app.reconciliation.insurer_books import Book
from app.reconciliation.models import PartyLedger, Run
from app.reconciliation.report import sending
from app.reconciliation.states import ENDED, LedgerState, RunState

Step = Callable[[Runtime, Gateways, Job], None]


def night(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Fired by the clock: `day` is the calendar day on which it fires."""
    with runtime.work(finish=[job]) as work:
        service.night(work, date.fromisoformat(job.args["day"]))


def step(use_case: Callable[[Work, UUID], None]) -> Step:
    """A task that is one transaction about its subject."""

    def handle(runtime: Runtime, _: Gateways, job: Job) -> None:
        with runtime.work(finish=[job]) as work:
            use_case(work, job.subject)

    return handle


def fetch(runtime: Runtime, gateways: Gateways, job: Job) -> None:
    """Get an insurer's book of the day; while it is not ready or not to be had, ask again until the time is up."""
    with runtime.read() as session:
        ledger = queries.ledger(session, job.subject)
        if ledger is None or ledger.status != LedgerState.WAITING:
            return
        run = queries.run(session, ledger.run_id)
        assert run is not None and ledger.party_id is not None
        source = insurer_books.source(session, runtime.privacy, ledger.party_id)
    if source is None:
        _block(runtime, job, "no_endpoint")
        return
    try:
        book = insurer_books.ask(
            gateways, source, f"ledger-{ledger.id.hex}", run.business_date, partial(_own_rows, runtime, run, ledger)
        )
    except PartnerFault as fault:
        _no_book(runtime, job, run, fault)
    except LedgerFileError as error:
        _block(runtime, job, error.code)
    else:
        _take_in(runtime, job, book)


def compare(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Everything has arrived: share the comparison out, a task for each part."""
    with runtime.read() as session:
        run = queries.run(session, job.subject)
        if run is None or run.status != RunState.COMPARING:
            return
        material = comparison.gather(session, run)
    attendance, shares = comparison.share_out(material)
    with runtime.work(finish=[job]) as work:
        service.share_out(work, job.subject, attendance, material.platform, shares)


def compare_part(runtime: Runtime, _: Gateways, job: Job) -> None:
    """One part of a night, in Redis."""
    with runtime.read() as session:
        part = queries.part(session, job.subject)
        if part is None or part.compared_at is not None:
            return
        run = queries.run(session, part.run_id)
    assert run is not None
    found = comparison.compare_part(runtime.settings.redis_url, run.business_date, parts.load(part.packed), run.id.hex)
    with runtime.work(finish=[job]) as work:
        service.part_compared(work, part, outcome_file.dump(found))


def finish(runtime: Runtime, _: Gateways, job: Job) -> None:
    """All parts are compared: put them together, look at what must not have changed, keep what was found."""
    with runtime.read() as session:
        run = queries.run(session, job.subject)
        if run is None or run.status != RunState.COMPARING or run.attendance is None:
            return
        outcomes = [outcome_file.load(part.outcome) for part in queries.parts(session, run.id) if part.outcome]
        looked = integrity.look(session, runtime.privacy)
    compared = comparison.Compared(
        comparison.Attendance.from_json(run.attendance), combine(outcomes) if outcomes else None
    )
    comparison.clear_up(runtime.settings.redis_url, run.id.hex)
    with runtime.work(finish=[job]) as work:
        service.store(work, run.id, compared, looked)
        service.forget_parts(work, run.id)


def report(runtime: Runtime, _: Gateways, job: Job) -> None:
    """Write the reports of an ended run and hand them to the notices; the same figures are not sent twice."""
    with runtime.read() as session:
        run = queries.run(session, job.subject)
        if run is None or run.status not in ENDED:
            return
        letters = sending.write_all(session, runtime.settings, run)
    with runtime.work(finish=[job]) as work:
        sending.send_all(work, run, letters)


def _block(runtime: Runtime, job: Job, code: str) -> None:
    with runtime.work(finish=[job]) as work:
        service.block(work, job.subject, code)


def _no_book(runtime: Runtime, job: Job, run: Run, fault: PartnerFault) -> None:
    not_ready = fault.code == "ledger_not_ready"
    may_come = not_ready or not fault.permanent
    if may_come and runtime.clock.now() < run.collect_until:
        raise TryLater(min(rules.RETRY_S, (run.collect_until - runtime.clock.now()).total_seconds() + 0.1))
    plain = "partner_refused" if fault.is_answer else "not_reached"
    _block(runtime, job, fault.code if not_ready else plain)


def _own_rows(runtime: Runtime, run: Run, ledger: PartyLedger) -> Ledger:
    assert ledger.party_id is not None
    with runtime.read() as session:
        return totals.own_rows(session, run.business_date, ledger.party_id)


def _take_in(runtime: Runtime, job: Job, book: Book) -> None:
    packed = books.pack(book.ledger)
    with runtime.work(finish=[job]) as work:
        ledger = queries.ledger(work.session, job.subject)
        assert ledger is not None
        said = {"sha256": book.sha256, "source": book.source}
        declared = {"declared_count": book.ledger.declared, "declared_fen": book.ledger.readable_fen}
        service.arrived(work, ledger, book.ledger, packed, **said, **declared)
