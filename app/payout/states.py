from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.payout.models import Payout


class State(StrEnum):
    CREATED = "created"
    HELD = "held"  # a risk rule wants people to look
    APPROVED = "approved"
    SENDING = "sending"
    UNKNOWN = "unknown"  # sent, and nobody knows whether it was taken
    ACCEPTED = "accepted"
    WAITING_USER_CONFIRM = "waiting_user_confirm"
    TRANSFERRING = "transferring"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETURNED = "returned"  # a bank payout came back (退票)


UNSENT = (State.CREATED, State.HELD, State.APPROVED)
MOVING = (State.SENDING, State.UNKNOWN, State.ACCEPTED, State.WAITING_USER_CONFIRM, State.TRANSFERRING)
_PROGRESS = {
    "accept": State.ACCEPTED,
    "wait_for_user": State.WAITING_USER_CONFIRM,
    "transfer": State.TRANSFERRING,
    "succeed": State.SUCCEEDED,
    "fail": State.FAILED,
    "cancel": State.CANCELLED,
}
_ORDER = list(MOVING)

payouts = Machine(
    "payout",
    Payout,
    {
        (State.CREATED, "hold"): State.HELD,
        (State.CREATED, "approve"): State.APPROVED,
        (State.HELD, "approve"): State.APPROVED,
        (State.HELD, "reject"): State.CANCELLED,
        **{(state, "stop"): State.CANCELLED for state in UNSENT},
        (State.APPROVED, "send"): State.SENDING,
        (State.SENDING, "lose_sight"): State.UNKNOWN,
        (State.UNKNOWN, "send_again"): State.SENDING,
        (State.SUCCEEDED, "return"): State.RETURNED,
        # What the provider says moves forwards only: a late word about an earlier state changes nothing.
        **{
            (state, event): target
            for state in MOVING
            for event, target in _PROGRESS.items()
            if target not in _ORDER or _ORDER.index(target) > _ORDER.index(state)
        },
    },
)
