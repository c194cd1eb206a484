"""Refunds: one for an order, under one number for ever."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.payment import rules
from app.payment.models import PaymentOrder, Refund
from app.payment.states import RefundState, refunds

REFUND, LOOK = "payment.refund", "payment.look_at_refund"


def refund(work: Work, order_id: UUID, amount_fen: int, reason: str) -> UUID:
    """Pay an order back, once: asking again gives the refund that there is. Invalid above the order's amount."""
    order = work.session.get(PaymentOrder, order_id, with_for_update=True)
    if order is None:
        raise NotFound
    known = work.session.scalar(select(Refund.id).where(Refund.order_id == order_id))
    if known is not None:
        return known
    if not 0 < amount_fen <= order.amount_fen:
        raise Invalid("refund_amount", "退款金额不正确")
    row = Refund(order_id=order_id, amount_fen=amount_fen, reason=reason, out_refund_no=partner_number("rf"))
    refunds.start(work, row, RefundState.CREATED)
    work.session.flush()
    work.later(REFUND, row.id)
    return row.id


def refund_said(work: Work, refund_id: UUID, said: dict[str, Any]) -> None:
    """What WeChat says of a refund, in an answer, a query or a notification; looked at again until it is final."""
    event = rules.REFUND_EVENTS.get(str(said.get("status") or said.get("refund_status")))
    if event is None or event == "accept":
        refunds.move(work, [refund_id], "accept", values=_named(said), lenient=True)
        work.later(LOOK, refund_id, run_at=work.now + rules.LOOK_AFTER)
        return
    values = _named(said) | ({"booked_on": rules.booked_on(work.clock, said)} if event == "succeed" else {})
    if refunds.move(work, [refund_id], event, values=values, lenient=True):
        _tell(work, refund_id, "payment.refunded" if event == "succeed" else "payment.refund_failed")


def refund_refused(work: Work, refund_id: UUID, code: str) -> None:
    """WeChat will not refund this, however often it is asked: a person has to help."""
    if refunds.move(work, [refund_id], "abnormal", values={"refused_code": code[:60]}, lenient=True):
        _tell(work, refund_id, "payment.refund_failed")


def lost_sight(work: Work, refund_id: UUID) -> None:
    """Sent, and no usable answer: look once WeChat must show it, and do not send again before."""
    if refunds.move(work, [refund_id], "lose_sight", lenient=True):
        work.later(LOOK, refund_id, run_at=work.now + rules.QUARANTINE)


def refund_not_there(work: Work, refund_id: UUID) -> None:
    """WeChat certainly has no such refund: the same number and amount again."""
    if refunds.move(work, [refund_id], "send_again", lenient=True):
        work.later(REFUND, refund_id)


def look_again(work: Work, refund_id: UUID, party_id: UUID | None) -> Refund:
    """A person has helped with an abnormal refund: WeChat is asked how it stands. NotFound for another hospital's,
    Conflict `refund_not_abnormal`."""
    row = get_refund(work, refund_id)
    order = work.session.get(PaymentOrder, row.order_id)
    if order is None or party_id not in (None, order.hospital_id):
        raise NotFound
    if row.status != RefundState.ABNORMAL:
        raise Conflict("refund_not_abnormal", "这笔退款没有异常，不需要处理")
    work.later(LOOK, row.id)
    return row


def get_refund(work: Work, refund_id: UUID) -> Refund:
    row = work.session.get(Refund, refund_id)
    if row is None:
        raise NotFound
    return row


def _tell(work: Work, refund_id: UUID, event: str) -> None:
    order = work.session.get(PaymentOrder, get_refund(work, refund_id).order_id)
    assert order is not None
    work.emit(event, order.id, purpose=order.purpose, subject=str(order.subject))


def _named(said: dict[str, Any]) -> dict[str, Any]:
    return {"refund_id": str(said["refund_id"])} if said.get("refund_id") else {}
