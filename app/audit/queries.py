from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.models import AuditEntry


def history(session: Session, subject_ids: Sequence[UUID]) -> Sequence[AuditEntry]:
    """State changes of these rows, oldest first: what a timeline is made of."""
    return session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_id.in_(subject_ids), AuditEntry.to_status.is_not(None))
        .order_by(AuditEntry.id)
    ).all()
