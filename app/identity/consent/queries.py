"""What was agreed to, and what was shared under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.identity.consent.models import Consent, ConsentReceipt
from app.identity.consent.rules import Recipient
from app.identity.person import queries as people


@dataclass(frozen=True)
class ReceiptView:
    occasion: str
    what: list[str]
    subject_id: UUID
    about_no: str
    shared_at: datetime


@dataclass(frozen=True)
class ConsentView:
    id: UUID
    person_id: UUID
    recipient_id: UUID
    recipient: Recipient
    purpose: str
    data_class: str
    scope: list[str]
    wording: str
    status: str
    given_at: datetime
    withdrawn_at: datetime | None
    guardian_id: UUID | None
    receipts: tuple[ReceiptView, ...] = ()


def consents_of(session: Session, account_id: UUID) -> list[ConsentView]:
    """Consents of every person the account is bound to, newest first, each with its receipts."""
    mine = [bound.person.id for bound in people.live_bindings(session, account_id) if bound.person]
    rows = session.scalars(select(Consent).where(Consent.person_id.in_(mine)).order_by(Consent.id.desc())).all()
    receipts: dict[UUID, list[ReceiptView]] = {row.id: [] for row in rows}
    wanted = select(ConsentReceipt).where(ConsentReceipt.consent_id.in_(receipts)).order_by(ConsentReceipt.id)
    for one in session.scalars(wanted):
        told = ReceiptView(one.occasion, one.what, one.subject_id, one.about_no, one.shared_at)
        receipts[one.consent_id].append(told)
    return [view(row, receipts[row.id]) for row in rows]


def consent(session: Session, consent_id: UUID) -> ConsentView:
    row = session.get(Consent, consent_id)
    if row is None:
        raise NotFound
    return view(row)


def recipient_of(row: Consent) -> Recipient:
    return Recipient(row.recipient_name, row.recipient_contact)


def view(row: Consent, receipts: Sequence[ReceiptView] = ()) -> ConsentView:
    return ConsentView(
        id=row.id,
        person_id=row.person_id,
        recipient_id=row.recipient_id,
        recipient=recipient_of(row),
        purpose=row.purpose,
        data_class=row.data_class,
        scope=row.scope,
        wording=row.wording,
        status=row.status,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
        guardian_id=row.guardian_id,
        receipts=tuple(receipts),
    )
