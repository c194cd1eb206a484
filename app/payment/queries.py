from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, any_, literal, or_, select
from sqlalchemy.orm import Session

from app.core.paging import PageQuery, page
from app.payment.models import PaymentOrder, Refund
from app.payment.states import RefundState


def order_of(session: Session, account_id: UUID, order_id: UUID) -> PaymentOrder | None:
    """The order, if this account has to pay it."""
    row = session.get(PaymentOrder, order_id)
    return row if row is not None and row.account_id == account_id else None


class GivenBack(NamedTuple):
    """What has become of the money of one order that goes back."""

    refund: Literal["none", "pending", "refunded", "failed"]
    refunded_fen: int


NOTHING_BACK = GivenBack("none", 0)


def given_back(session: Session, order_ids: Collection[UUID | None]) -> dict[UUID | None, GivenBack]:
    """By order; `NOTHING_BACK` for those without a refund."""
    orders = {one for one in order_ids if one is not None}
    found = select(Refund.order_id, Refund.status, Refund.amount_fen).where(Refund.order_id.in_(orders))
    rows = session.execute(found) if orders else ()
    return dict.fromkeys(order_ids, NOTHING_BACK) | {row.order_id: _given_back(*row[1:]) for row in rows}


def _given_back(status: str, amount_fen: int) -> GivenBack:
    if status == RefundState.SUCCEEDED:
        return GivenBack("refunded", amount_fen)
    return GivenBack("failed" if status == RefundState.ABNORMAL else "pending", 0)


def abnormal_refunds(
    session: Session, party_id: UUID | None, query: PageQuery
) -> tuple[Sequence[tuple[Refund, PaymentOrder]], UUID | None]:
    """Refunds that a person has to help with, of one hospital or of all, each with its order."""
    wanted = select(Refund).where(Refund.status == RefundState.ABNORMAL)
    if party_id is not None:
        mine = select(PaymentOrder.id).where(PaymentOrder.hospital_id == party_id)
        wanted = wanted.where(Refund.order_id.in_(mine))
    rows, cursor = page(session, wanted, Refund.id, query)
    orders = session.scalars(select(PaymentOrder).where(PaymentOrder.id.in_([row.order_id for row in rows])))
    by_id = {order.id: order for order in orders}
    return [(row, by_id[row.order_id]) for row in rows], cursor


class Movement(NamedTuple):
    """An order or a refund for comparison with the bank side: our number, whose merchant number, and how it stands."""

    number: str
    party_id: UUID
    amount_fen: int
    status: str
    booked_on: date | None


def payments(session: Session, *, day: date | None = None, numbers: Collection[str] = ()) -> list[Movement]:
    """Orders that were paid on `day`, and those with one of our `numbers` however they stand."""
    wanted = _wanted(PaymentOrder.booked_on, PaymentOrder.out_trade_no, day, numbers)
    columns = (PaymentOrder.out_trade_no, PaymentOrder.hospital_id, PaymentOrder.amount_fen, PaymentOrder.status)
    return [Movement(*row) for row in session.execute(select(*columns, PaymentOrder.booked_on).where(wanted))]


def refunds(session: Session, *, day: date | None = None, numbers: Collection[str] = ()) -> list[Movement]:
    """Refunds that arrived on `day`, and those with one of our `numbers` however they stand."""
    wanted = _wanted(Refund.booked_on, Refund.out_refund_no, day, numbers)
    columns = (Refund.out_refund_no, PaymentOrder.hospital_id, Refund.amount_fen, Refund.status, Refund.booked_on)
    joined = select(*columns).join(PaymentOrder, PaymentOrder.id == Refund.order_id)
    return [Movement(*row) for row in session.execute(joined.where(wanted))]


def _wanted(on: Any, number: Any, day: date | None, numbers: Collection[str]) -> ColumnElement[bool]:
    """Rows of the day, if one is given, and of the numbers; `on` and `number` are columns."""
    named: ColumnElement[bool] = number == any_(literal(list(numbers), ARRAY(Text)))
    return named if day is None else or_(on == day, named)
