"""Getting every party's book of a business date together. Each function works inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.core.errors import Conflict, Invalid
from app.core.work import Work
from app.exchange import service as exchange
from app.reconciliation import books, queries, rules
from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.models import LedgerBatch, PartyLedger, Run
from app.reconciliation.states import LedgerState, RunState, ledgers, runs

COLLECT = "collect_ledger"


@dataclass(frozen=True)
class Wanted:
    """Which night to run. `hospital` (a code) narrows it to one hospital's rows."""

    business_date: date
    started_by: str
    hospital: str | None = None
    wait: timedelta = rules.COLLECT_LIMIT


def start(work: Work, wanted: Wanted) -> Run:
    """A new run that asks every party for its book; a run of the same kind that is under way is given back.

    Invalid `date_in_future`, Conflict `run_in_progress`, NotFound for an unknown hospital.
    """
    if wanted.business_date > work.clock.today():
        raise Invalid("date_in_future", "对账日期不能晚于今天", fields={"business_date": "晚于今天"})
    lock_day(work, wanted.business_date)
    hospitals = _hospitals(work, wanted.hospital)
    scope = hospitals[0] if wanted.hospital else None
    running = _running(work, wanted.business_date)
    if running is not None and running.hospital_id != scope:
        raise Conflict("run_in_progress", "这一天的另一次对账正在进行，请稍后再试")
    if running is not None:
        return running
    run = Run(
        business_date=wanted.business_date,
        attempt=queries.last_attempt(work.session, wanted.business_date) + 1,
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
    close(work, run.id)
    return run


def lock_day(work: Work, day: date) -> None:
    """One decision about a business date at a time."""
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"reconciliation:{day}", 0))))


def ask_again(work: Work, ledger_id: UUID) -> None:
    """The hospital failed for the moment: the same question under a new command."""
    ledger = _locked(work, ledger_id)
    if ledger is not None:
        _ask(work, _run(work, ledger), ledger)


def take_batch(work: Work, batch_id: UUID) -> None:
    """Judge a ledger batch row by row, keep it by columns, and complete the book that waits for it."""
    if work.session.get(LedgerBatch, batch_id) is not None:
        return
    batch = exchange.open_batch(work, batch_id)
    ledger = books.from_rows(batch.rows)
    amounts = [row["data"].get("amount_fen") for row in batch.rows]
    row = LedgerBatch(
        batch_id=batch.id,
        party_id=batch.party_id,
        batch_no=batch.batch_no,
        business_date=batch.business_date,
        row_count=ledger.declared,
        amount_fen=sum(amount for amount in amounts if type(amount) is int),
        packed=books.pack(ledger),
    )
    work.add(row)
    work.session.flush()
    judged = books.verdicts(ledger, [row["key"] for row in batch.rows])
    verdicts = [exchange.Verdict("ledger", key, "refused" if why else "applied", why) for key, why in judged]
    exchange.settle_batch(work, batch.id, verdicts)
    for waiting in queries.waiting_of_party(work.session, batch.party_id):
        _complete(work, waiting)


def answered(work: Work, command_id: UUID) -> None:
    """A hospital's agent says which batches hold its book, or why there is none."""
    answer = exchange.answer(work, command_id)
    assert answer.subject is not None
    ledger = _locked(work, answer.subject)
    if ledger is None or ledger.command_id != command_id:
        return
    if answer.outcome == "done":
        _declared(work, ledger, answer.body)
    elif answer.outcome == "failed":
        work.later("reconciliation.ask", ledger.id, run_at=work.now + timedelta(seconds=rules.RETRY_S))
    else:
        block(work, ledger.id, "refused" if answer.outcome == "refused" else "not_answered")


def arrived(work: Work, ledger: PartyLedger, book: Ledger, packed: bytes, **said: Any) -> None:
    """The whole book is here. `said` holds what the party declared."""
    values = {
        "packed": packed,
        "row_count": book.declared,
        "bad_count": len(book.bad_rows),
        "readable_fen": book.readable_fen,
        **said,
    }
    ledgers.move(work, [ledger.id], "arrive", values=values, lenient=True)
    close(work, ledger.run_id)


def keep_own(work: Work, run: Run, book: Ledger) -> None:
    """The platform's own book as it was compared."""
    row = PartyLedger(run_id=run.id, role="platform", source="copy", packed=books.pack(book))
    row.row_count, row.bad_count, row.readable_fen = book.declared, len(book.bad_rows), book.readable_fen
    ledgers.start(work, row, LedgerState.ARRIVED)


def block(work: Work, ledger_id: UUID, code: str) -> None:
    """This party's part cannot be compared; the others go on."""
    ledger = _locked(work, ledger_id)
    if ledger is not None:
        ledgers.move(work, [ledger.id], "block", values={"blocked_code": code}, code=code)
        close(work, ledger.run_id)


def deadline(work: Work, run_id: UUID) -> None:
    """Who has not handed in by now is blocked in this run."""
    for ledger in queries.ledgers(work.session, run_id):
        if ledger.status == LedgerState.WAITING:
            block(work, ledger.id, "not_arrived")


def close(work: Work, run_id: UUID) -> None:
    """Once nobody is waited for, compare."""
    work.session.flush()
    work.session.execute(select(Run.id).where(Run.id == run_id).with_for_update())
    if not queries.is_waiting(work.session, run_id) and runs.move(work, [run_id], "compare", lenient=True):
        work.later("reconciliation.compare", run_id)


def _running(work: Work, day: date) -> Run | None:
    """The run that is under way; one that has lost its task is closed."""
    run = queries.running(work.session, day)
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
        _ask(work, run, ledger)
    else:
        work.later("reconciliation.fetch", ledger.id)


def _ask(work: Work, run: Run, ledger: PartyLedger) -> None:
    assert ledger.party_id is not None
    body = {"business_date": run.business_date.isoformat()}
    ledger.command_id = exchange.command(
        work, ledger.party_id, COLLECT, body, lane="ledger", subject=ledger.id, deadline=run.collect_until
    )


def _declared(work: Work, ledger: PartyLedger, said: dict[str, Any]) -> None:
    numbers = said.get("batch_nos") or [said.get("batch_no")]
    figures = (said.get("count"), said.get("amount_fen"), said.get("bad", 0), *numbers)
    if not all(type(figure) is int for figure in figures):
        block(work, ledger.id, "malformed_answer")
        return
    ledger.batch_nos = sorted(set(numbers))
    ledger.declared_count, ledger.declared_fen, ledger.bad_at_source = figures[:3]
    _complete(work, ledger)


def _complete(work: Work, ledger: PartyLedger) -> None:
    """Whichever comes last, the answer or the last batch, completes the book."""
    if ledger.batch_nos is None or ledger.party_id is None:
        return
    found = queries.ledger_batches(work.session, ledger.party_id, ledger.batch_nos)
    if len(found) < len(ledger.batch_nos):
        return
    count, amount_fen = sum(batch.row_count for batch in found), sum(batch.amount_fen for batch in found)
    day = _run(work, ledger).business_date
    if (count, amount_fen) != (ledger.declared_count, ledger.declared_fen) or {b.business_date for b in found} != {day}:
        block(work, ledger.id, "declared")
        return
    book = books.joined([books.unpack(batch.packed) for batch in found])
    arrived(work, ledger, book, books.pack(book), source="exchange")


def _run(work: Work, ledger: PartyLedger) -> Run:
    run = work.session.get(Run, ledger.run_id)
    assert run is not None
    return run


def _locked(work: Work, ledger_id: UUID) -> PartyLedger | None:
    """The ledger, held to the end of the transaction; None if it is no longer waited for."""
    work.session.flush()
    wanted = select(PartyLedger).where(PartyLedger.id == ledger_id, PartyLedger.status == LedgerState.WAITING)
    return work.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
