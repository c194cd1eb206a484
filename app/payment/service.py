"""Payment as other features see it. Talks with WeChat Pay are in calls.py."""

from __future__ import annotations

from app.payment.inbox import apply_notification, take_notification, transfer_notification
from app.payment.ordering import (
    NewOrder,
    close,
    closed,
    get,
    number,
    order,
    paid,
    prepaid,
    require_payable,
    state,
    why_closed,
)
from app.payment.refunding import (
    get_refund,
    look_again,
    lost_sight,
    refund,
    refund_not_there,
    refund_refused,
    refund_said,
)

__all__ = [
    "NewOrder",
    "apply_notification",
    "close",
    "closed",
    "get",
    "get_refund",
    "look_again",
    "lost_sight",
    "number",
    "order",
    "paid",
    "prepaid",
    "refund",
    "refund_not_there",
    "refund_refused",
    "refund_said",
    "require_payable",
    "state",
    "take_notification",
    "transfer_notification",
    "why_closed",
]
