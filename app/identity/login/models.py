"""A WeChat user of one app, and the sessions in which it is logged in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row
from app.identity.session.models import Revocable


class Account(Row, Base):
    """(app_id, openid) is one user. `following` says whether the public account may send template messages."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("app_id", "openid"),)

    app_id: Mapped[str] = mapped_column(ForeignKey("wechat_app.app_id"))
    openid: Mapped[str]
    unionid: Mapped[str | None] = mapped_column(index=True)
    following: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class LoginSession(Revocable, Base):
    __tablename__ = "login_session"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)

    @property
    def principal_id(self) -> UUID:
        return self.account_id


class UsedLoginState(Base):
    """A login page's `state` that has come back: it counts once."""

    __tablename__ = "used_login_state"

    nonce: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
