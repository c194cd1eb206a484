"""Asking a hospital's agent for its book: for its totals first where the hospital offers them (`ledger_totals` of its
party), for the rows where it does not or where its totals are not ours."""

from __future__ import annotations

from app.core.work import Work
from app.exchange import service as exchange
from app.reconciliation.models import PartyLedger, Run

COLLECT = "collect_ledger"


def offers_totals(config: dict[str, object]) -> bool:
    return config.get("ledger_totals") is True


def first(work: Work, run: Run, ledger: PartyLedger) -> None:
    assert ledger.party_id is not None
    ledger.asked_totals = offers_totals(exchange.party(work.session, ledger.party_id).config)
    again(work, run, ledger)


def rows(work: Work, run: Run, ledger: PartyLedger) -> None:
    ledger.asked_totals = False
    again(work, run, ledger)


def again(work: Work, run: Run, ledger: PartyLedger) -> None:
    """The same question as before under a new command. An agent that does not know of totals hands in its rows."""
    assert ledger.party_id is not None
    body: dict[str, object] = {"business_date": run.business_date.isoformat()}
    if ledger.asked_totals:
        body["totals"] = True
    ledger.command_id = exchange.command(
        work, ledger.party_id, COLLECT, body, lane="ledger", subject=ledger.id, deadline=run.collect_until
    )
