from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.notification.models import Notice


class State(StrEnum):
    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    DEAD = "dead"  # replayable


notices = Machine(
    "notice",
    Notice,
    {
        (State.PENDING, "deliver"): State.DELIVERED,
        (State.RETRYING, "deliver"): State.DELIVERED,
        (State.PENDING, "retry"): State.RETRYING,
        (State.RETRYING, "retry"): State.RETRYING,
        (State.PENDING, "bury"): State.DEAD,
        (State.RETRYING, "bury"): State.DEAD,
        # WeChat took it and says afterwards that the user never got it.
        (State.DELIVERED, "bury"): State.DEAD,
        (State.DEAD, "replay"): State.PENDING,
    },
)
