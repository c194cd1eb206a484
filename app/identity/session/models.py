"""What sessions of accounts and of operators have in common."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row


class Revocable(Row):
    """One login and the family of refresh tokens that it leads to. Ends by logout, by time, or when a refresh token
    comes a second time."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(index=True)
    revoked_why: Mapped[str | None]

    @property
    @abstractmethod
    def principal_id(self) -> UUID:
        """Whose session it is."""


class RefreshToken(Base):
    """The fingerprint of a token that was handed out; a used one is kept so that its second coming is noticed."""

    __tablename__ = "refresh_token"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(index=True)
    issued_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    used_at: Mapped[datetime | None]
