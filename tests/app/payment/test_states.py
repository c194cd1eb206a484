"""Every (state, event) pair of an order and of a refund: what is not in the table is refused, and changes nothing."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.errors import LostRace
from app.core.ids import partner_number
from app.core.work import Work
from app.payment.models import PaymentOrder, Refund
from app.payment.states import OrderState, RefundState, orders, refunds
from tests.app.patients import Known
from tests.app.payment.kit import Till

ORDER_MOVES = {
    ("created", "prepay"): "prepaid",
    ("created", "pay"): "paid",
    ("prepaid", "pay"): "paid",
    ("created", "close"): "closed",
    ("prepaid", "close"): "closed",
    ("created", "dispute"): "disputed",
    ("prepaid", "dispute"): "disputed",
}
REFUND_MOVES = {
    ("created", "lose_sight"): "unknown",
    ("created", "accept"): "processing",
    ("unknown", "accept"): "processing",
    ("unknown", "send_again"): "created",
    ("created", "succeed"): "succeeded",
    ("unknown", "succeed"): "succeeded",
    ("processing", "succeed"): "succeeded",
    ("created", "abnormal"): "abnormal",
    ("unknown", "abnormal"): "abnormal",
    ("processing", "abnormal"): "abnormal",
    ("abnormal", "succeed"): "succeeded",
}


@pytest.fixture
def patient(till: Till) -> Known:
    return till.house.known()


def an_order(till: Till, work: Work, patient: Known, state: OrderState) -> PaymentOrder:
    row = PaymentOrder(
        hospital_id=till.house.hospital_id(),
        account_id=patient.account_id,
        purpose="test",
        subject=uuid4(),
        amount_fen=1,
        description="-",
        out_trade_no=partner_number("po"),
        expires_at=work.now + timedelta(minutes=1),
    )
    orders.start(work, row, state)
    work.session.flush()
    return row


def tried(work: Work, machine: Any, row_id: UUID, event: str) -> str | None:
    """The state that the event led to, None where it was refused."""
    try:
        return str(machine.move(work, [row_id], event)[0].new)
    except LostRace:
        return None


def test_every_pair_of_an_order(till: Till, patient: Known) -> None:
    with till.house.runtime.work() as work:
        for state, event in itertools.product(OrderState, sorted(orders.events)):
            row = an_order(till, work, patient, state)
            assert tried(work, orders, row.id, event) == ORDER_MOVES.get((state.value, event)), (state, event)


def test_every_pair_of_a_refund(till: Till, patient: Known) -> None:
    with till.house.runtime.work() as work:
        for state, event in itertools.product(RefundState, sorted(refunds.events)):
            order = an_order(till, work, patient, OrderState.PAID)
            row = Refund(order_id=order.id, amount_fen=1, reason="-", out_refund_no=partner_number("rf"))
            refunds.start(work, row, state)
            work.session.flush()
            assert tried(work, refunds, row.id, event) == REFUND_MOVES.get((state.value, event)), (state, event)
