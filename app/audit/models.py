from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class AuditEntry(Base):
    """One state change or one read of sensitive data. Inserted with its data; `seq`, `prev_hash` and `hash` come later
    from the sealer, in the order of `id` behind the oldest running transaction (`xid`)."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_id", "id"),
        Index("ix_audit_entry_unsealed", "id", postgresql_where=text("seq IS NULL")),
        # Without the unsealed ones: every transaction inserts some.
        Index("uq_audit_entry_seq", "seq", unique=True, postgresql_where=text("seq IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    request_id: Mapped[str]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    xid: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text)::bigint"), server_onupdate=FetchedValue()
    )
    seq: Mapped[int | None] = mapped_column(BigInteger)
    prev_hash: Mapped[str | None]
    hash: Mapped[str | None]
