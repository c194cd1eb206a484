"""The platform's own clearing ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import literal, or_, select
from sqlalchemy.orm import Session

from app.claim.models.claims import ClaimBill
from app.core.columns import copy_out


def clearing_ledger(session: Session, day: date, party_id: UUID | None = None) -> bytes:
    """The platform's own book of a business date as CSV: every clearing row that counts (with a `party_id` of that
    hospital or insurer), with the ids of its hospital and insurer. `ok` is the status of a row that stands; what takes
    it back is a row of its own."""
    counts = (ClaimBill.business_date == day, ClaimBill.booked_at.is_not(None))
    mine = () if party_id is None else (or_(ClaimBill.hospital_id == party_id, ClaimBill.insurer_id == party_id),)
    return copy_out(
        session,
        select(
            ClaimBill.clearing_no,
            ClaimBill.kind,
            ClaimBill.borne_fen.label("amount_fen"),
            literal("ok").label("status"),
            ClaimBill.hospital_id.label("hospital"),
            ClaimBill.insurer_id.label("insurer"),
        )
        .where(*counts, *mine)
        .order_by(ClaimBill.ordinal),
    )


def days_booked_since(session: Session, days: Sequence[date], moment: datetime) -> Sequence[date]:
    """Those of the business dates in whose books a row was entered after `moment`."""
    late = select(ClaimBill.business_date).where(ClaimBill.business_date.in_(days), ClaimBill.booked_at > moment)
    return session.scalars(late.distinct().order_by(ClaimBill.business_date)).all()
