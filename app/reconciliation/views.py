"""Rows as the contracts show them; codes in place of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import queries as audit
from app.exchange import service as exchange
from app.reconciliation import contracts as c
from app.reconciliation import rules
from app.reconciliation.models import Difference, Run
from app.reconciliation.report.figures import Figures, PartyFigures, StatementFigures, TotalFigures, figures

FIRST_PAGE = 20


def run_item(session: Session, run: Run) -> c.RunItem:
    return c.RunItem(
        id=run.id,
        kind=run.kind,
        business_date=run.business_date,
        attempt=run.attempt,
        hospital=_code(session, run.hospital_id),
        status=run.status,
        status_since=run.status_since,
        started_at=run.started_at,
    )


def run_view(session: Session, run: Run, party_id: UUID | None, today: date) -> c.RunView:
    """A partner's people see their own part, and neither the rows of others nor the platform's checks."""
    found: Figures = figures(session, run, party_id, rows=FIRST_PAGE)
    overall = _statement(found.overall)
    return c.RunView(
        **run_item(session, run).model_dump() | {"status": found.status},
        compared_at=run.compared_at,
        sets=overall.sets,
        amount_differs=overall.amount_differs,
        status_differs=overall.status_differs,
        totals=overall.totals,
        groups=[_statement(group) for group in found.groups],
        parties=[_party(party) for party in found.parties],
        counts=(run.counts or {}) if party_id is None else {},
        checks=(run.checks or {}) if party_id is None else {},
        differences=differences(session, found.differences, today),
        differences_total=found.differences_total,
    )


def differences(session: Session, rows: Sequence[Difference], today: date) -> list[c.DifferenceView]:
    return [difference(session, row, today) for row in rows]


def difference(session: Session, row: Difference, today: date) -> c.DifferenceView:
    what, next_step = rules.CAUSES.get(row.cause, (row.cause, ""))
    shown = {name: getattr(row, name) for name in c.DifferenceView.model_fields if hasattr(row, name)}
    return c.DifferenceView(
        **shown,
        set=row.found_set,
        hospital=_code(session, row.hospital_id),
        insurer=_code(session, row.insurer_id),
        cause_text=what,
        suggested_step=next_step,
        responsible=rules.responsible(row.cause),
        age_days=max(0, (today - row.business_date).days),
    )


def detail(session: Session, row: Difference, today: date) -> c.DifferenceDetail:
    history = [c.HistoryItem.model_validate(entry, from_attributes=True) for entry in audit.history(session, [row.id])]
    return c.DifferenceDetail(**difference(session, row, today).model_dump(), history=history)


def _statement(row: StatementFigures) -> c.StatementView:
    return c.StatementView(
        hospital=row.hospital,
        insurer=row.insurer,
        sets=row.sets,
        amount_differs=row.amount_differs,
        status_differs=row.status_differs,
        totals={scope: _total(total) for scope, total in row.totals.items()},
    )


def _total(total: TotalFigures) -> c.TotalView:
    return c.TotalView.model_validate(total, from_attributes=True)


def _party(party: PartyFigures) -> c.PartyLedgerView:
    code = party.blocked_code
    return c.PartyLedgerView(**asdict(party), blocked_reason=rules.BLOCKED.get(code, code) if code else None)


def _code(session: Session, party_id: UUID | None) -> str | None:
    return exchange.party(session, party_id).code if party_id is not None else None
