from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Sealed
from app.core.machine import Stateful


class Notice(Stateful, Base):
    """One message to one recipient over one channel. `dedupe` makes a repeated event one message. One about a person is
    for who is bound to that person.

    `content_sealed` is JSON: for WeChat and SMS {"params", "phone"?}, for mail {"to", "subject", "html", "inline",
    "attachments"} with files in base64.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("channel IN ('wechat', 'sms', 'mail')", name="channel"),
        CheckConstraint("channel <> 'wechat' OR account_id IS NOT NULL", name="recipient"),
        Index("ix_notice_account", "account_id", "id"),
        Index("ix_notice_provider_no", "provider_no", postgresql_where=text("provider_no IS NOT NULL")),
    )

    status: Mapped[str] = mapped_column()  # in no index: nobody looks for notices by it
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    channel: Mapped[str]
    template: Mapped[str]
    subject: Mapped[UUID | None]
    dedupe: Mapped[str] = mapped_column(unique=True)
    content_sealed: Mapped[Sealed] = mapped_column(deferred=True)
    tries: Mapped[int] = mapped_column(default=0)
    provider_no: Mapped[str | None] = mapped_column()
    refused_code: Mapped[str | None]


class WechatPush(Row, Base):
    """A push of WeChat's that had its effect: the same again has none. `key` and `sender` are fingerprints of what
    holds an openid; `sent_at` is WeChat's own time, by which following and leaving are put in order."""

    __tablename__ = "wechat_push"
    __table_args__ = (
        UniqueConstraint("app_id", "key", name="uq_wechat_push"),
        Index("ix_wechat_push_sender", "app_id", "sender", "sent_at"),
    )

    app_id: Mapped[str]
    key: Mapped[str]
    sender: Mapped[str]
    event: Mapped[str]
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)
