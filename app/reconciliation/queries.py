from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, undefer

from app.core.paging import PageQuery, page
from app.reconciliation.models import (
    Difference,
    LedgerBatch,
    PartyLedger,
    Report,
    Run,
    SetCount,
    Statement,
    Total,
)
from app.reconciliation.states import LIVE, RUNNING, DifferenceState, LedgerState


def run(session: Session, run_id: UUID) -> Run | None:
    return session.get(Run, run_id)


def running(session: Session, day: date) -> Run | None:
    return session.scalar(select(Run).where(Run.business_date == day, Run.status.in_(RUNNING)))


def last_attempt(session: Session, day: date) -> int:
    return session.scalar(select(func.max(Run.attempt)).where(Run.business_date == day)) or 0


def last_run(session: Session, day: date, hospital_id: UUID | None = None) -> Run | None:
    """The latest run of a date: of all rows, or of one hospital's."""
    same = (Run.business_date == day, Run.hospital_id.is_not_distinct_from(hospital_id))
    return session.scalar(select(Run).where(*same).order_by(Run.attempt.desc()).limit(1))


def runs_page(session: Session, day: date | None, query: PageQuery) -> tuple[Sequence[Run], UUID | None]:
    wanted = select(Run) if day is None else select(Run).where(Run.business_date == day)
    return page(session, wanted, Run.id, query)


def ledgers(session: Session, run_id: UUID, *, packed: bool = False) -> Sequence[PartyLedger]:
    wanted = select(PartyLedger).where(PartyLedger.run_id == run_id).order_by(PartyLedger.id)
    return session.scalars(wanted.options(undefer(PartyLedger.packed)) if packed else wanted).all()


def ledger(session: Session, ledger_id: UUID) -> PartyLedger | None:
    return session.get(PartyLedger, ledger_id)


def is_waiting(session: Session, run_id: UUID) -> bool:
    waiting = (PartyLedger.run_id == run_id, PartyLedger.status == LedgerState.WAITING)
    return session.scalar(select(PartyLedger.id).where(*waiting).limit(1)) is not None


def waiting_of_party(session: Session, party_id: UUID) -> Sequence[PartyLedger]:
    """The books of a party that are waited for, held to the end of the transaction: the party's answer and its last
    batch may come at the same time."""
    waiting = (PartyLedger.party_id == party_id, PartyLedger.status == LedgerState.WAITING)
    return session.scalars(select(PartyLedger).where(*waiting).order_by(PartyLedger.id).with_for_update()).all()


def ledger_batches(session: Session, partner_id: UUID, numbers: Sequence[int]) -> Sequence[LedgerBatch]:
    mine = (LedgerBatch.partner_id == partner_id, LedgerBatch.batch_no.in_(numbers))
    wanted = select(LedgerBatch).where(*mine).order_by(LedgerBatch.batch_no).options(undefer(LedgerBatch.packed))
    return session.scalars(wanted).all()


def statements(session: Session, run_id: UUID) -> Sequence[Statement]:
    """The overall one first."""
    wanted = select(Statement).where(Statement.run_id == run_id)
    return session.scalars(wanted.order_by(Statement.overall.desc(), Statement.id)).all()


def set_counts(session: Session, statement_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    found: dict[UUID, dict[str, int]] = {}
    for row in session.scalars(select(SetCount).where(SetCount.statement_id.in_(statement_ids))):
        found.setdefault(row.statement_id, {})[row.name] = row.count
    return found


def totals(session: Session, statement_ids: Sequence[UUID]) -> dict[UUID, dict[str, Total]]:
    found: dict[UUID, dict[str, Total]] = {}
    for row in session.scalars(select(Total).where(Total.statement_id.in_(statement_ids))):
        found.setdefault(row.statement_id, {})[row.scope] = row
    return found


def differences_of_day(session: Session, day: date) -> Sequence[Difference]:
    return session.scalars(select(Difference).where(Difference.business_date == day)).all()


def difference(session: Session, difference_id: UUID) -> Difference | None:
    return session.get(Difference, difference_id)


def seen_in(session: Session, run_id: UUID, party_id: UUID | None = None) -> Sequence[Difference]:
    """What a run saw, by kind and number; for a partner only what is about it."""
    wanted = select(Difference).where(Difference.last_run_id == run_id)
    return session.scalars(_about(wanted, party_id).order_by(Difference.kind, Difference.key)).all()


def neighbours(session: Session, day: date, days: int, numbers: Sequence[str]) -> Sequence[Difference]:
    """Rows missing somewhere on the business dates around `day` that have one of these numbers: those that wait, and
    those that a neighbouring date has made whole."""
    near = Difference.business_date.between(day - timedelta(days), day + timedelta(days))
    waiting = or_(Difference.status.in_(LIVE), Difference.matched_on.is_not(None))
    wanted = select(Difference).where(near, Difference.business_date != day, Difference.kind == "presence", waiting)
    return session.scalars(wanted.where(Difference.clearing_no.in_(numbers)).order_by(Difference.id)).all()


def overdue(session: Session, day: date) -> Sequence[UUID]:
    """Suspended differences that have waited long enough on `day`."""
    waiting = (Difference.status == DifferenceState.SUSPENDED, Difference.suspended_until < day)
    return session.scalars(select(Difference.id).where(*waiting)).all()


def days_suspended(session: Session, days: Sequence[date]) -> Sequence[date]:
    waiting = (Difference.status == DifferenceState.SUSPENDED, Difference.business_date.in_(days))
    return session.scalars(select(Difference.business_date).where(*waiting).distinct()).all()


def differences_page(
    session: Session, filters: dict[str, object], party_id: UUID | None, query: PageQuery
) -> tuple[Sequence[Difference], UUID | None]:
    """`filters`: column name -> value, None for any; for a partner's people only what is about their party."""
    wanted = select(Difference)
    for name, value in filters.items():
        if value is not None:
            wanted = wanted.where(getattr(Difference, name) == value)
    return page(session, _about(wanted, party_id), Difference.id, query)


def reports(session: Session, run_id: UUID) -> Sequence[Report]:
    return session.scalars(select(Report).where(Report.run_id == run_id).order_by(Report.id)).all()


def reported(session: Session, day: date, party_id: UUID | None, digest: str) -> bool:
    same = (Report.business_date == day, Report.party_id.is_not_distinct_from(party_id), Report.digest == digest)
    return session.scalar(select(Report.id).where(*same)) is not None


def _about(wanted: Select[Any], party_id: UUID | None) -> Select[Any]:
    if party_id is None:
        return wanted
    return wanted.where(or_(Difference.hospital_id == party_id, Difference.insurer_id == party_id))
