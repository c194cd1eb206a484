"""Orders: written down, placed, paid or closed, each step in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import Unpack

from app.core.errors import Conflict, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.identity import service as identity
from app.payment import refunding, rules
from app.payment.models import PaymentOrder
from app.payment.states import OrderState, orders


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
    """Write down an order; a task places it with WeChat Pay. Events: payment.paid, payment.closed, payment.refunded.

    Conflict `pay_elsewhere` as `require_payable` has it.
    """
    require_payable(work.session, wanted["hospital_id"], wanted["account_id"])
    row = PaymentOrder(**wanted, out_trade_no=partner_number("po"))
    orders.start(work, row, OrderState.CREATED)
    work.session.flush()
    work.later("payment.prepay", row.id)
    work.later("payment.look", row.id, run_at=work.now + rules.LOOK_AFTER)
    return row.id


def require_payable(session: Session, hospital_id: UUID, account_id: UUID) -> None:
    """Conflict `pay_elsewhere` where the hospital's merchant number is not bound to the app of the account."""
    app_id, _ = identity.payment_identity(session, account_id)
    if not identity.merchant_may_use(session, hospital_id, app_id):
        raise Conflict("pay_elsewhere", "请从这家医院的公众号或小程序进入，再进行支付")


def prepaid(work: Work, order_id: UUID, prepay_id: str) -> None:
    orders.move(work, [order_id], "prepay", values={"prepay_id": prepay_id}, lenient=True)


def paid(work: Work, order_id: UUID, trade: dict[str, Any]) -> None:
    """The money is there, says WeChat (notification or query). An order that was given up is refunded; another amount
    than was asked for, or money that somebody has paid back by hand, is nobody's payment until a person has looked."""
    row = locked(work, order_id)
    transaction_id = trade.get("transaction_id")
    if _total_fen(trade) != row.amount_fen or trade.get("trade_state") == rules.PAID_BACK:
        values = {"transaction_id": transaction_id, "booked_on": rules.booked_on(work.clock, trade)}
        if orders.move(work, [row.id], "dispute", values=values, lenient=True):
            _emit(work, "payment.closed", row)
        return
    values = {"transaction_id": transaction_id, "paid_at": work.now, "booked_on": rules.booked_on(work.clock, trade)}
    if orders.move(work, [row.id], "pay", values=values, lenient=True):
        _emit(work, "payment.paid", row)
    elif row.status == OrderState.CLOSED:
        row.transaction_id, row.paid_at = transaction_id, row.paid_at or work.now
        row.booked_on = row.booked_on or rules.booked_on(work.clock, trade)
        refunding.refund(work, row.id, row.amount_fen, "订单已关闭")


def close(work: Work, order_id: UUID, refused_code: str | None = None) -> None:
    """Give an order up, or one that WeChat has refused; the task makes sure that nobody pays it any more."""
    if refused_code is not None:
        get(work, order_id).refused_code = refused_code[:60]
    work.later("payment.close", order_id)


def closed(work: Work, order_id: UUID) -> None:
    """WeChat has closed it: nobody can pay any more."""
    if orders.move(work, [order_id], "close", lenient=True):
        _emit(work, "payment.closed", get(work, order_id))


def why_closed(session: Session, order_id: UUID) -> Literal["not_paid", "order_refused", "pay_disputed"]:
    """Why nobody has paid an order that is closed."""
    found = select(PaymentOrder.status, PaymentOrder.refused_code).where(PaymentOrder.id == order_id)
    row = session.execute(found).one()
    if row.status == OrderState.DISPUTED:
        return "pay_disputed"
    return "not_paid" if row.refused_code is None else "order_refused"


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


def locked(work: Work, order_id: UUID) -> PaymentOrder:
    """The order as it is now; closing and paying wait for each other."""
    row = work.session.get(PaymentOrder, order_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    row.require_check(work.privacy)
    return row


def _total_fen(trade: dict[str, Any]) -> int | None:
    amount = trade.get("amount")
    total = amount.get("total") if isinstance(amount, dict) else None
    return total if isinstance(total, int) else None


def _emit(work: Work, event: str, row: PaymentOrder) -> None:
    work.emit(event, row.id, purpose=row.purpose, subject=str(row.subject))
