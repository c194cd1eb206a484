from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, any_, func, literal, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, undefer

from app.core.paging import PageQuery, page
from app.reconciliation import rules
from app.reconciliation.models import (
    Difference,
    LedgerBatch,
    Part,
    PartyLedger,
    Report,
    Run,
    SetCount,
    Statement,
    Total,
)
from app.reconciliation.states import LIVE, RUNNING, DifferenceState, LedgerState

_PIECE = 2000


def run(session: Session, run_id: UUID) -> Run | None:
    return session.get(Run, run_id)


def running(session: Session, kind: str, day: date) -> Run | None:
    same = (Run.kind == kind, Run.business_date == day)
    return session.scalar(select(Run).where(*same, Run.status.in_(RUNNING)))


def last_attempt(session: Session, kind: str, day: date) -> int:
    same = (Run.kind == kind, Run.business_date == day)
    return session.scalar(select(func.max(Run.attempt)).where(*same)) or 0


def last_day_run(session: Session, kind: str, before: date) -> date | None:
    """The latest business date before `before` that was run as a whole."""
    whole = (Run.kind == kind, Run.hospital_id.is_(None), Run.business_date < before)
    return session.scalar(select(func.max(Run.business_date)).where(*whole))


def last_run(session: Session, day: date, hospital_id: UUID | None = None, *, kind: str = rules.PARTIES) -> Run | None:
    """The latest run of a date: of all rows, or of one hospital's."""
    same = (Run.kind == kind, Run.business_date == day, Run.hospital_id.is_not_distinct_from(hospital_id))
    return session.scalar(select(Run).where(*same).order_by(Run.attempt.desc()).limit(1))


def runs_page(
    session: Session, day: date | None, query: PageQuery, kind: str | None = None
) -> tuple[Sequence[Run], UUID | None]:
    wanted = select(Run) if day is None else select(Run).where(Run.business_date == day)
    wanted = wanted if kind is None else wanted.where(Run.kind == kind)
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


class Known(NamedTuple):
    """What has to be known of a difference to say what a run changes about it."""

    id: UUID
    kind: str
    key: str
    role: str | None
    cause: str
    status: str
    matched_on: date | None
    hospital_id: UUID | None
    insurer_id: UUID | None


def known_of_day(session: Session, day: date, kinds: Sequence[str]) -> list[Known]:
    columns = (getattr(Difference, name) for name in Known._fields)
    wanted = select(*columns).where(Difference.business_date == day, Difference.kind.in_(kinds))
    return [Known(*row) for row in session.execute(wanted)]


def has_live(session: Session, run_id: UUID) -> bool:
    live = (Difference.last_run_id == run_id, Difference.status.in_(LIVE))
    return session.scalar(select(Difference.id).where(*live).limit(1)) is not None


def difference(session: Session, difference_id: UUID) -> Difference | None:
    return session.get(Difference, difference_id)


def seen_in(
    session: Session, run_id: UUID, party_id: UUID | None = None, limit: int | None = None
) -> Sequence[Difference]:
    """What a run saw, by kind and number; for a partner only what is about it."""
    wanted = _about(select(Difference).where(Difference.last_run_id == run_id), party_id)
    return session.scalars(wanted.order_by(Difference.kind, Difference.key).limit(limit)).all()


def told_by(session: Session, run_id: UUID, party_id: UUID | None) -> tuple[int, str]:
    """How many differences a run saw, and a digest that is the same where two runs saw the same."""
    said = func.concat_ws(
        "|", Difference.kind, Difference.key, func.coalesce(Difference.found_set, ""), Difference.cause
    )
    digest = func.md5(func.string_agg(said, aggregate_order_by(text("E'\\n'"), Difference.kind, Difference.key)))
    wanted = select(func.count(), func.coalesce(digest, "")).where(Difference.last_run_id == run_id)
    count, text_digest = session.execute(_about(wanted, party_id)).one()
    return int(count), str(text_digest)


def with_neighbours(session: Session, run: Run, days: int) -> tuple[Sequence[Difference], Sequence[Difference]]:
    """Presence differences that this run saw and that neighbouring dates may make whole (or have made whole), and
    those of the neighbouring dates that have one of their numbers: what waits there, and what was made whole."""
    here = (Difference.last_run_id == run.id, Difference.kind == "presence")
    numbers = select(Difference.clearing_no).where(*here)
    near = Difference.business_date.between(run.business_date - timedelta(days), run.business_date + timedelta(days))
    waiting = or_(Difference.status.in_(LIVE), Difference.matched_on.is_not(None))
    wanted = select(Difference).where(near, Difference.business_date != run.business_date, waiting)
    wanted = wanted.where(Difference.kind == "presence", Difference.clearing_no.in_(numbers)).order_by(Difference.id)
    others = session.scalars(wanted).all()
    known = [row.clearing_no for row in others]
    mine = select(Difference).where(
        *here, or_(Difference.matched_on.is_not(None), Difference.clearing_no == any_(literal(known, ARRAY(Text))))
    )
    return session.scalars(mine.order_by(Difference.id)).all(), others


def overdue(session: Session, day: date) -> Sequence[UUID]:
    """Suspended differences that have waited long enough on `day`."""
    waiting = (Difference.status == DifferenceState.SUSPENDED, Difference.suspended_until < day)
    return session.scalars(select(Difference.id).where(*waiting)).all()


def days_suspended(session: Session, days: Sequence[date], kinds: Sequence[str]) -> Sequence[date]:
    there = (Difference.business_date.in_(days), Difference.kind.in_(kinds))
    waiting = (Difference.status == DifferenceState.SUSPENDED, *there)
    return session.scalars(select(Difference.business_date).where(*waiting).distinct()).all()


Filters = Mapping[str, object]  # column name -> value, None for any


def differences_page(
    session: Session, filters: Filters, party_id: UUID | None, query: PageQuery
) -> tuple[Sequence[Difference], UUID | None]:
    """For a partner's people only what is about their party."""
    return page(session, _filtered(filters, party_id), Difference.id, query)


def every_difference(session: Session, filters: Filters, party_id: UUID | None) -> Iterator[Difference]:
    """All of them by date, kind and number, which name each once; read in pieces."""
    name = tuple_(Difference.business_date, Difference.kind, Difference.key)
    wanted = _filtered(filters, party_id).order_by(*name.clauses).limit(_PIECE)
    piece = session.scalars(wanted).all()
    while piece:
        yield from piece
        last = piece[-1]
        piece = session.scalars(wanted.where(name > (last.business_date, last.kind, last.key))).all()


def _filtered(filters: Filters, party_id: UUID | None) -> Select[Any]:
    wanted = select(Difference)
    for name, value in filters.items():
        if value is not None:
            wanted = wanted.where(getattr(Difference, name) == value)
    return _about(wanted, party_id)


def parts_left(session: Session, run_id: UUID) -> int:
    """Parts of a run that nobody has compared yet."""
    left = (Part.run_id == run_id, Part.compared_at.is_(None))
    return session.scalar(select(func.count()).where(*left)) or 0


def parts(session: Session, run_id: UUID) -> Sequence[Part]:
    wanted = select(Part).where(Part.run_id == run_id).order_by(Part.id)
    return session.scalars(wanted.options(undefer(Part.outcome))).all()


def part(session: Session, part_id: UUID) -> Part | None:
    return session.get(Part, part_id, options=[undefer(Part.packed)])


def reports(session: Session, run_id: UUID) -> Sequence[Report]:
    return session.scalars(select(Report).where(Report.run_id == run_id).order_by(Report.id)).all()


def reported(session: Session, day: date, party_id: UUID | None, digest: str) -> bool:
    same = (Report.business_date == day, Report.party_id.is_not_distinct_from(party_id), Report.digest == digest)
    return session.scalar(select(Report.id).where(*same)) is not None


def _about(wanted: Any, party_id: UUID | None) -> Select[Any]:
    if party_id is None:
        return wanted
    return wanted.where(or_(Difference.hospital_id == party_id, Difference.insurer_id == party_id))
