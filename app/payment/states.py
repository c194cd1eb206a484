from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.payment.models import PaymentOrder, Refund


class OrderState(StrEnum):
    CREATED = "created"
    PREPAID = "prepaid"  # the user can pay
    PAID = "paid"
    CLOSED = "closed"
    DISPUTED = "disputed"  # paid, but not the amount that was asked for: a person has to look


class RefundState(StrEnum):
    CREATED = "created"
    UNKNOWN = "unknown"  # sent, and nobody knows whether it was taken
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    ABNORMAL = "abnormal"  # the user's card took nothing, or WeChat refused: a person has to help


orders = Machine(
    "payment_order",
    PaymentOrder,
    {
        (OrderState.CREATED, "prepay"): OrderState.PREPAID,
        (OrderState.CREATED, "pay"): OrderState.PAID,
        (OrderState.PREPAID, "pay"): OrderState.PAID,
        (OrderState.CREATED, "close"): OrderState.CLOSED,
        (OrderState.PREPAID, "close"): OrderState.CLOSED,
        (OrderState.CREATED, "dispute"): OrderState.DISPUTED,
        (OrderState.PREPAID, "dispute"): OrderState.DISPUTED,
    },
)
refunds = Machine(
    "refund",
    Refund,
    {
        (RefundState.CREATED, "lose_sight"): RefundState.UNKNOWN,
        (RefundState.CREATED, "accept"): RefundState.PROCESSING,
        (RefundState.UNKNOWN, "accept"): RefundState.PROCESSING,
        (RefundState.UNKNOWN, "send_again"): RefundState.CREATED,
        **{
            (state, event): target
            for state in (RefundState.CREATED, RefundState.UNKNOWN, RefundState.PROCESSING)
            for event, target in (("succeed", RefundState.SUCCEEDED), ("abnormal", RefundState.ABNORMAL))
        },
        (RefundState.ABNORMAL, "succeed"): RefundState.SUCCEEDED,  # a person has helped
    },
)
