"""Whether what a party has sent of a business date has all arrived and been applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.exchange import refusals, rules
from app.exchange.models import Batch, Partner
from app.exchange.states import BatchState

MOST_MISSING = 100


@dataclass
class Completeness:
    """One party's batches of one business date. `rows` counts verdicts; a refused row is mended once a row of its key
    is applied. `missing` are numbers that its programs have skipped before a batch of this date, the first 100 of
    `missing_batches`: what was sent so has not arrived. `bad_rows`, of any date, are those that they hold back now."""

    business_date: date
    batches: int = 0
    unjudged: int = 0
    declared_rows: int = 0
    declared_fen: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    missing_batches: int = 0
    missing: list[int] = field(default_factory=list)
    bad_rows: int = 0

    @property
    def percent(self) -> float | None:
        """See rules.complete_percent."""
        settled = sum(self.rows[verdict] for verdict in rules.SETTLED_VERDICTS)
        return rules.complete_percent(
            settled=settled, declared=self.declared_rows, arrived=self.batches, missing=self.missing_batches
        )


def completeness(session: Session, party_id: UUID, day: date) -> Completeness:
    return completeness_of(session, [party_id], day)[party_id]


def completeness_of(session: Session, party_ids: Collection[UUID], day: date) -> dict[UUID, Completeness]:
    """Of each of these parties."""
    found = {party_id: Completeness(day) for party_id in party_ids}
    columns = (Batch.party_id, Batch.status, Batch.count.label("rows"), Batch.amount_fen, Batch.tally)
    of_day = (Batch.party_id.in_(party_ids), Batch.business_date == day)
    for batch in session.execute(select(*columns).where(*of_day)):
        one = found[batch.party_id]
        one.batches += 1
        one.unjudged += batch.status in (BatchState.RECEIVED, BatchState.CHECKED)
        one.declared_rows += batch.rows
        one.declared_fen += batch.amount_fen
        one.rows.update(batch.tally or {})
    for party_id, number in refusals.mended(session, party_ids, day).items():
        found[party_id].rows.update({"refused": -number, refusals.MENDED: number})
    for party_id, gap in _gaps(session, party_ids, day):
        one = found[party_id]
        one.missing_batches += len(gap)
        one.missing += gap[: MOST_MISSING - len(one.missing)]
    held = select(Partner.party_id, func.sum(Partner.bad_rows)).where(Partner.party_id.in_(party_ids))
    for party_id, number in session.execute(held.group_by(Partner.party_id)):
        found[party_id].bad_rows = int(number)
    return found


def _gaps(session: Session, party_ids: Collection[UUID], day: date) -> Iterator[tuple[UUID, range]]:
    """Numbers that are missing in front of a batch of this date, by the index of each program's numbers."""
    earlier = aliased(Batch)
    mine = (earlier.partner_id == Batch.partner_id, earlier.batch_no < Batch.batch_no)
    last = select(func.coalesce(func.max(earlier.batch_no), 0)).where(*mine).scalar_subquery()
    next_before = select(earlier.id).where(
        earlier.partner_id == Batch.partner_id, earlier.batch_no == Batch.batch_no - 1
    )
    found = select(Batch.party_id, last, Batch.batch_no).where(
        Batch.party_id.in_(party_ids), Batch.business_date == day, Batch.batch_no > 1, ~next_before.exists()
    )
    for party_id, before, batch_no in session.execute(found.order_by(Batch.batch_no)):
        yield party_id, range(before + 1, batch_no)
