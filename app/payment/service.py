"""Orders, refunds and notifications, each in one transaction. Talks with WeChat Pay are in calls.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from typing_extensions import Unpack

from app.core.errors import NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.payment.models import PaymentOrder, PayNotification, Refund
from app.payment.states import OrderState, RefundState, orders, refunds

# A notification may be lost: an order is looked at when its user should have paid, and until it is closed.
LOOK_AFTER = timedelta(seconds=20)
KEPT = ("out_trade_no", "transaction_id", "trade_state", "out_refund_no", "refund_id", "refund_status", "amount",
        "out_bill_no", "transfer_bill_no", "state", "transfer_amount", "fail_reason", "mchid", "mch_id")  # fmt: skip


class NewOrder(TypedDict):
    """What is to be paid, to whose merchant number, for what."""

    hospital_id: UUID
    account_id: UUID
    purpose: str
    subject: UUID
    amount_fen: int
    description: str
    expires_at: datetime


def order(work: Work, **wanted: Unpack[NewOrder]) -> UUID:
    """Write down an order; a task places it with WeChat Pay. Events: payment.paid, payment.closed, payment.refunded."""
    row = PaymentOrder(**wanted, out_trade_no=partner_number("po"))
    orders.start(work, row, OrderState.CREATED)
    work.session.flush()
    work.later("payment.prepay", row.id)
    work.later("payment.look", row.id, run_at=work.now + LOOK_AFTER)
    return row.id


def prepaid(work: Work, order_id: UUID, prepay_id: str) -> None:
    orders.move(work, [order_id], "prepay", values={"prepay_id": prepay_id}, lenient=True)


def paid(work: Work, order_id: UUID, trade: dict[str, Any]) -> None:
    """The money is there, says WeChat (notification or query). An order that was given up is refunded."""
    row = get(work, order_id)
    if trade["amount"]["total"] != row.amount_fen:
        work.audit("payment.amount_differs", "payment_order", row.id)
        return
    values = {"transaction_id": trade.get("transaction_id"), "paid_at": work.now}
    if orders.move(work, [row.id], "pay", values=values, lenient=True):
        work.emit("payment.paid", row.id, purpose=row.purpose, subject=str(row.subject))
    elif row.status == OrderState.CLOSED:
        refund(work, row.id, row.amount_fen, "订单已关闭")


def close(work: Work, order_id: UUID) -> None:
    """Give an order up; the task makes sure at WeChat that nobody pays it any more."""
    work.later("payment.close", order_id)


def closed(work: Work, order_id: UUID) -> None:
    """WeChat has closed it: nobody can pay any more."""
    if orders.move(work, [order_id], "close", lenient=True):
        row = get(work, order_id)
        work.emit("payment.closed", row.id, purpose=row.purpose, subject=str(row.subject))


def refund(work: Work, order_id: UUID, amount_fen: int, reason: str) -> UUID:
    """Pay an order back, once."""
    known = work.session.scalar(select(Refund.id).where(Refund.order_id == order_id))
    if known is not None:
        return known
    row = Refund(order_id=order_id, amount_fen=amount_fen, reason=reason, out_refund_no=partner_number("rf"))
    refunds.start(work, row, RefundState.CREATED)
    work.session.flush()
    work.later("payment.refund", row.id)
    return row.id


def refund_said(work: Work, refund_id: UUID, said: dict[str, Any]) -> None:
    """What WeChat says of a refund, in an answer, a query or a notification."""
    status = said.get("status") or said.get("refund_status")
    event = {"SUCCESS": "succeed", "PROCESSING": "accept", "ABNORMAL": "abnormal", "CLOSED": "abnormal"}[str(status)]
    moved = refunds.move(work, [refund_id], event, values={"refund_id": said.get("refund_id")}, lenient=True)
    if moved and event == "succeed":
        row = get(work, get_refund(work, refund_id).order_id)
        work.emit("payment.refunded", row.id, purpose=row.purpose, subject=str(row.subject))
    elif moved and event == "accept":
        work.later("payment.look_at_refund", refund_id, run_at=work.now + LOOK_AFTER)


def lost_sight(work: Work, refund_id: UUID, quarantine: timedelta) -> None:
    """Sent, and no usable answer: look once WeChat must show it, and do not send again before."""
    refunds.move(work, [refund_id], "lose_sight", lenient=True)
    work.later("payment.look_at_refund", refund_id, run_at=work.now + quarantine)


def refund_not_there(work: Work, refund_id: UUID) -> None:
    """WeChat certainly has no such refund: the same number and amount again."""
    if refunds.move(work, [refund_id], "send_again", lenient=True):
        work.later("payment.refund", refund_id)


def take_notification(work: Work, mchid: str, notification: dict[str, Any]) -> None:
    """Keep a verified notification, once; a task applies it. Personal data (openid, name) is not kept."""
    resource = notification["resource"]
    if (resource.get("mchid") or resource.get("mch_id")) != mchid:
        raise NotFound
    row = {
        "id": PayNotification().id,
        "mchid": mchid,
        "notification_id": notification["id"],
        "event_type": notification["event_type"],
        "content": {name: resource[name] for name in KEPT if name in resource},
    }
    new = insert(PayNotification).values(row).on_conflict_do_nothing().returning(PayNotification.id)
    if work.session.scalar(new) is not None:
        work.later("payment.apply_notification", row["id"])


def apply_notification(work: Work, notification_id: UUID) -> None:
    """A payment, a refund, or a transfer, which is payout's business."""
    row = work.session.get(PayNotification, notification_id)
    if row is None:
        raise NotFound
    if row.event_type == "TRANSACTION.SUCCESS":
        found = select(PaymentOrder.id).where(PaymentOrder.out_trade_no == row.content["out_trade_no"])
        order_id = work.session.scalar(found)
        if order_id is not None:
            paid(work, order_id, row.content)
    elif row.event_type.startswith("REFUND."):
        refund_id = work.session.scalar(select(Refund.id).where(Refund.out_refund_no == row.content["out_refund_no"]))
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


def state(session: Session, order_id: UUID) -> str:
    return session.scalars(select(PaymentOrder.status).where(PaymentOrder.id == order_id)).one()


def number(session: Session, order_id: UUID) -> str:
    """Our number of the order at WeChat Pay."""
    return session.scalars(select(PaymentOrder.out_trade_no).where(PaymentOrder.id == order_id)).one()


def get(work: Work, order_id: UUID) -> PaymentOrder:
    row = work.session.get(PaymentOrder, order_id)
    if row is None:
        raise NotFound
    return row


def get_refund(work: Work, refund_id: UUID) -> Refund:
    row = work.session.get(Refund, refund_id)
    if row is None:
        raise NotFound
    return row
