"""WeChat Pay's notifications: each kept once, applied by a task."""

from __future__ import annotations

from typing import Any, TypeGuard
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.core.work import Work
from app.identity import service as identity
from app.payment import rules
from app.payment.models import PaymentOrder, PayNotification, Refund
from app.payment.ordering import paid
from app.payment.refunding import refund_said


def take_notification(work: Work, mchid: str, notification: dict[str, Any]) -> None:
    """Keep a verified notification, once; a task applies it. Personal data (openid, name) is not kept.

    NotFound if it speaks of another merchant number, Invalid if it is none.
    """
    resource, number, kind = (notification.get(name) for name in ("resource", "id", "event_type"))
    if not isinstance(resource, dict) or not (_is_name(number) and _is_name(kind)):
        raise Invalid("notification_invalid", "通知内容不完整")
    if (resource.get("mchid") or resource.get("mch_id")) != mchid:
        raise NotFound
    notification_id = new_id()
    row = {
        "id": notification_id,
        "mchid": mchid,
        "notification_id": number,
        "event_type": kind,
        "content": {name: resource[name] for name in rules.KEPT if name in resource},
    }
    new = insert(PayNotification).values(row).on_conflict_do_nothing().returning(PayNotification.id)
    if work.session.scalar(new) is not None:
        work.later("payment.apply_notification", notification_id)


def _is_name(given: object) -> TypeGuard[str]:
    """A number or a type of WeChat Pay's: printable ASCII, at most 64 characters."""
    return isinstance(given, str) and 0 < len(given) <= 64 and given.isascii() and given.isprintable()


def apply_notification(work: Work, notification_id: UUID) -> None:
    """A payment, a refund, or a transfer, which is payout's business. What is not ours stays unapplied."""
    row = work.session.get(PayNotification, notification_id)
    if row is None:
        raise NotFound
    if row.event_type == "TRANSACTION.SUCCESS":
        order_id = work.session.scalar(_mine(work, row).where(PaymentOrder.out_trade_no == _text(row, "out_trade_no")))
        if order_id is not None:
            paid(work, order_id, row.content)
    elif row.event_type.startswith("REFUND."):
        mine = select(Refund.id).where(Refund.order_id.in_(_mine(work, row)))
        refund_id = work.session.scalar(mine.where(Refund.out_refund_no == _text(row, "out_refund_no")))
        if refund_id is not None:
            refund_said(work, refund_id, row.content)
    elif row.event_type == "MCHTRANSFER.BILL.FINISHED":
        work.emit("payment.transfer_notified", row.id)


def transfer_notification(session: Session, notification_id: UUID) -> tuple[str, dict[str, Any]]:
    """(merchant number, content with out_bill_no, state, transfer_amount, fail_reason) of a transfer's notification."""
    row = session.get(PayNotification, notification_id)
    if row is None:
        raise NotFound
    return row.mchid, row.content


def _mine(work: Work, row: PayNotification) -> Any:
    """Orders at the merchant number that the notification came for: nobody speaks for another's."""
    owner = identity.merchant_credentials(work.session, work.privacy, mchid=row.mchid).party_id
    return select(PaymentOrder.id).where(PaymentOrder.hospital_id == owner)


def _text(row: PayNotification, name: str) -> str:
    return str(row.content.get(name, ""))
