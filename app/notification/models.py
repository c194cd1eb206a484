from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Sealed
from app.core.machine import Stateful


class Notice(Stateful, Base):
    """One message to one recipient over one channel. `dedupe` makes a repeated event one message.

    `content_sealed` is JSON: for WeChat and SMS {"params", "phone"?}, for mail {"to", "subject", "html", "inline",
    "attachments"} with files in base64.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("channel IN ('wechat', 'sms', 'mail')", name="channel"),
        CheckConstraint("channel <> 'wechat' OR account_id IS NOT NULL", name="recipient"),
        Index("ix_notice_account", "account_id", "id"),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    channel: Mapped[str]
    template: Mapped[str]
    subject: Mapped[UUID | None]
    dedupe: Mapped[str] = mapped_column(unique=True)
    content_sealed: Mapped[Sealed] = mapped_column(deferred=True)
    tries: Mapped[int] = mapped_column(default=0)
    provider_no: Mapped[str | None] = mapped_column(index=True)
    refused_code: Mapped[str | None]
