"""Persons of the platform, of a hospital or of an insurer who work in the console."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Sealed
from app.identity.operators.rules import DUTIES
from app.identity.session.models import Revocable

_ROLE_FITS_DUTY = " OR ".join(f"(role = '{role}' AND duty = '{duty}')" for role, duty in DUTIES.items())


class Operator(Row, Base):
    """One login of one human being. `duty` is what the roles have in common: administrator, security and auditor
    exclude each other and all business (三员分立), so an operator has one duty for life. `totp_step` is the last
    time step whose one-time password was used; `party_id` None is the platform."""

    __tablename__ = "operator"
    __table_args__ = (UniqueConstraint("id", "duty"),)

    login: Mapped[str] = mapped_column(unique=True)
    party_id: Mapped[UUID | None] = mapped_column(ForeignKey("party.id"))
    duty: Mapped[str]
    password_hash: Mapped[str]
    totp_sealed: Mapped[Sealed]
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    active: Mapped[bool] = mapped_column(default=True, server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class OperatorRole(Base):
    """A role fits its operator's duty, and nothing else: the foreign key carries the duty along."""

    __tablename__ = "operator_role"
    __table_args__ = (
        ForeignKeyConstraint(["operator_id", "duty"], ["operator.id", "operator.duty"]),
        CheckConstraint(_ROLE_FITS_DUTY, name="role_fits_duty"),
    )

    operator_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    duty: Mapped[str]


class OperatorSession(Revocable, Base):
    __tablename__ = "operator_session"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"), index=True)

    @property
    def principal_id(self) -> UUID:
        return self.operator_id


class LoginAttempt(Base):
    """Tries at one login name, whether it exists or not, so that a lock tells nobody which names do."""

    __tablename__ = "login_attempt"

    login_index: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]
