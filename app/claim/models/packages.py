"""What insurers are handed, and what they ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Sealed


class DocumentRequest(Row, Base):
    """What the insurer asks for, once and all at once; `answered_at` when the patient has sent everything. A further
    request has a `reason`, and a `supervisor` of the insurer's who allowed it."""

    __tablename__ = "document_request"
    __table_args__ = (
        UniqueConstraint("claim_id", "request_no"),
        CheckConstraint("(reason IS NULL) = (supervisor IS NULL)", name="further"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    request_no: Mapped[str]
    items: Mapped[list[Any]]  # [{kind, text}]
    reason: Mapped[str | None]
    supervisor: Mapped[str | None]
    deadline: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class ClaimDocument(Row, Base):
    """A file of the patient's. Its content is sealed as base64; `sha256` is over the bytes."""

    __tablename__ = "claim_document"

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), index=True)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_request.id"))
    kind: Mapped[str]
    title: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[str]
    content_sealed: Mapped[Sealed]


class ClaimPackage(Row, Base):
    """The frozen, hashed, signed content of a claim. `content_sealed` is the native JSON of manifest and plain parts.
    A later version answers the request for documents that it names. It may have reached the insurer from `sent_at` on.
    """

    __tablename__ = "claim_package"
    __table_args__ = (
        UniqueConstraint("claim_id", "version"),
        CheckConstraint("(version = 1) = (previous_root IS NULL AND request_id IS NULL)", name="first"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    version: Mapped[int]
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("document_request.id"), unique=True)
    root: Mapped[str]
    previous_root: Mapped[str | None]
    signature: Mapped[str]
    content_sealed: Mapped[Sealed] = mapped_column(deferred=True)
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
