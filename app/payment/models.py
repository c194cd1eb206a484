from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Checked, Fen, Row
from app.core.machine import Stateful


class PaymentOrder(Stateful, Checked, Base):
    """One order at the hospital's merchant number, for one `purpose` and `subject` (appointment, settlement)."""

    __tablename__ = "payment_order"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index(
            "uq_payment_order_open",
            "purpose",
            "subject",
            unique=True,
            postgresql_where=text("status IN ('created', 'prepaid', 'paid')"),
        ),
    )
    check_over = ("hospital_id", "account_id", "purpose", "subject", "amount_fen", "out_trade_no")

    hospital_id: Mapped[UUID] = mapped_column(ForeignKey("party.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    purpose: Mapped[str]
    subject: Mapped[UUID]
    amount_fen: Mapped[Fen]
    description: Mapped[str]
    out_trade_no: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    prepay_id: Mapped[str | None]
    transaction_id: Mapped[str | None]
    paid_at: Mapped[datetime | None]
    refused_code: Mapped[str | None]  # WeChat Pay's, for an order that it did not take
    booked_on: Mapped[date | None] = mapped_column(index=True)  # the day on which WeChat Pay books it


class Refund(Stateful, Checked, Base):
    """Money back for one order."""

    __tablename__ = "refund"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount"), UniqueConstraint("order_id"))
    check_over = ("order_id", "amount_fen", "out_refund_no")

    order_id: Mapped[UUID] = mapped_column(ForeignKey("payment_order.id"))
    amount_fen: Mapped[Fen]
    reason: Mapped[str]
    out_refund_no: Mapped[str] = mapped_column(unique=True)
    refund_id: Mapped[str | None]
    booked_on: Mapped[date | None] = mapped_column(index=True)
    refused_code: Mapped[str | None]


class PayNotification(Row, Base):
    """What WeChat Pay told us, each notification once; applied by a task. Holds no openid and no name."""

    __tablename__ = "pay_notification"
    __table_args__ = (UniqueConstraint("mchid", "notification_id"),)

    mchid: Mapped[str]
    notification_id: Mapped[str]
    event_type: Mapped[str]
    content: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
