from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from app.payment.models import PaymentOrder


def order_of(session: Session, account_id: UUID, order_id: UUID) -> PaymentOrder | None:
    """The order, if this account has to pay it."""
    row = session.get(PaymentOrder, order_id)
    return row if row is not None and row.account_id == account_id else None
