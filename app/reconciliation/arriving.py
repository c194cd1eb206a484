"""A party's book on its way to us: batches and answers, in any order; complete, blocked, or too late.

Each function works inside one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.work import Work
from app.exchange import service as exchange
from app.reconciliation import asking, books, queries, rules, totals
from app.reconciliation.engine.ledger import Ledger
from app.reconciliation.models import LedgerBatch, PartyLedger, Run
from app.reconciliation.states import LedgerState, ledgers, runs

_MOST_ROWS, _MOST_FEN = 2**31 - 1, 2**63 - 1  # what their columns hold


def take_batch(work: Work, batch_id: UUID) -> None:
    """Judge a ledger batch row by row, keep it by columns, and complete the book that waits for it."""
    if work.session.get(LedgerBatch, batch_id) is not None:
        return
    batch = exchange.open_batch(work, batch_id)
    ledger = books.from_rows(batch.rows)
    amounts = [row["data"].get("amount_fen") for row in batch.rows]
    row = LedgerBatch(
        batch_id=batch.id,
        partner_id=batch.partner_id,
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
    """A hospital's agent says the totals of its book or which batches hold it, or why there is none."""
    answer = exchange.answer(work, command_id)
    assert answer.subject is not None
    ledger = locked(work, answer.subject)
    if ledger is None or ledger.command_id != command_id:
        return
    if answer.outcome == "done":
        ledger.partner_id = answer.partner_id
        _told(work, ledger, answer.body)
    elif answer.outcome == "failed":
        work.later("reconciliation.ask", ledger.id, run_at=work.now + timedelta(seconds=rules.RETRY_S))
    elif answer.outcome == "refused" and ledger.asked_totals:
        asking.rows(work, run_of(work, ledger), ledger)
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
    ledger = locked(work, ledger_id)
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
        run = work.session.get(Run, run_id)
        is_funds = run is not None and run.kind == rules.FUNDS
        work.later("reconciliation.compare_funds" if is_funds else "reconciliation.compare", run_id)


def _told(work: Work, ledger: PartyLedger, said: dict[str, Any]) -> None:
    """The batches of the book; or its totals, which were asked for: its rows are wanted only where these differ."""
    if not ledger.asked_totals or "batch_nos" in said or "batch_no" in said:
        _declared(work, ledger, said)
        return
    assert ledger.party_id is not None
    run = run_of(work, ledger)
    own_rows = partial(totals.own_rows, work.session, run.business_date, ledger.party_id)
    settled = totals.settle(ledger.role, said, own_rows)
    if settled is None:
        asking.rows(work, run, ledger)
        return
    told, book = settled
    declared = {"declared_count": told.count, "declared_fen": told.amount_fen, "sha256": told.sha256}
    arrived(work, ledger, book, books.pack(book), source=totals.SOURCE, **declared)


def _declared(work: Work, ledger: PartyLedger, said: dict[str, Any]) -> None:
    numbers = said.get("batch_nos") or [said.get("batch_no")]
    counts, amount_fen = [said.get("count"), said.get("bad", 0)], said.get("amount_fen")
    known = type(numbers) is list and _fit([*counts, *numbers], _MOST_ROWS) and _fit([amount_fen], _MOST_FEN)
    if not known:
        block(work, ledger.id, "malformed_answer")
        return
    ledger.batch_nos = sorted(set(numbers))
    ledger.declared_count, ledger.bad_at_source = counts
    ledger.declared_fen = amount_fen
    _complete(work, ledger)


def _fit(figures: Sequence[Any], most: int) -> bool:
    return all(type(figure) is int and 0 <= figure <= most for figure in figures)


def _complete(work: Work, ledger: PartyLedger) -> None:
    """Whichever comes last, the answer or the last batch, completes the book."""
    if ledger.batch_nos is None or ledger.partner_id is None:
        return
    found = queries.ledger_batches(work.session, ledger.partner_id, ledger.batch_nos)
    if len(found) < len(ledger.batch_nos):
        return
    count, amount_fen = sum(batch.row_count for batch in found), sum(batch.amount_fen for batch in found)
    day = run_of(work, ledger).business_date
    if (count, amount_fen) != (ledger.declared_count, ledger.declared_fen) or {b.business_date for b in found} != {day}:
        block(work, ledger.id, "declared")
        return
    book = books.joined([books.unpack(batch.packed) for batch in found])
    arrived(work, ledger, book, books.pack(book), source="exchange")


def run_of(work: Work, ledger: PartyLedger) -> Run:
    run = work.session.get(Run, ledger.run_id)
    assert run is not None
    return run


def locked(work: Work, ledger_id: UUID) -> PartyLedger | None:
    """The ledger, held to the end of the transaction; None if it is no longer waited for."""
    work.session.flush()
    wanted = select(PartyLedger).where(PartyLedger.id == ledger_id, PartyLedger.status == LedgerState.WAITING)
    return work.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
