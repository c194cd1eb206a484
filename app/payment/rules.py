"""WeChat Pay's words for what we call by our own, and how long we wait. Source: merchant documentation, v3."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from app.core.clock import Clock, shanghai_date

# A notification may be lost: an order is looked at when its user should have paid, and until it is closed.
LOOK_AFTER = timedelta(seconds=20)
LOOK_PAUSE_S = 10.0
# How long WeChat may take to show a request whose answer was lost.
QUARANTINE = timedelta(seconds=5)
# Looking never gives up; while WeChat does not answer it comes back so often.
SILENCE_PAUSE_S = 30.0
TOP_UP_PAUSE_S = 60.0
# The merchant's account is short: the same number again once it is topped up.
SHORT_OF_MONEY = frozenset({"NOT_ENOUGH", "NOTENOUGH"})
# "转入退款": the money came, and all or a part of it went back.
PAID_BACK = "REFUND"
MONEY_CAME = frozenset({"SUCCESS", PAID_BACK})
OVER = frozenset({"CLOSED", "REVOKED", "PAYERROR"})
REFUND_EVENTS: Mapping[str, str] = {
    "SUCCESS": "succeed",
    "PROCESSING": "accept",
    "ABNORMAL": "abnormal",
    "CLOSED": "abnormal",
}
# What is kept of a notification; openid and names are not among it.
KEPT = ("out_trade_no", "transaction_id", "trade_state", "out_refund_no", "refund_id", "refund_status", "amount",
        "out_bill_no", "transfer_bill_no", "state", "transfer_amount", "fail_reason", "mchid", "mch_id",
        "success_time")  # fmt: skip


def booked_on(clock: Clock, said: Mapping[str, Any]) -> date:
    """The day on which WeChat Pay books a success, which may be told after midnight. A business date held by hand is
    that of its stand-in too."""
    if clock.fixed_date is not None:
        return clock.fixed_date
    try:
        return shanghai_date(datetime.fromisoformat(str(said.get("success_time"))))
    except ValueError:
        return clock.today()
