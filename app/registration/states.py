from __future__ import annotations

from enum import StrEnum

from app.core.machine import Machine
from app.registration.models import Registration


class State(StrEnum):
    QUEUED = "queued"
    REGISTERING = "registering"
    REGISTERED = "registered"
    FAILED = "failed"  # refused by the hospital, or nobody was bound to the person any more before it was asked


WAITING = (State.QUEUED, State.REGISTERING)

registrations = Machine(
    "registration",
    Registration,
    {
        (State.QUEUED, "begin"): State.REGISTERING,
        (State.QUEUED, "leave"): State.FAILED,
        (State.REGISTERING, "register"): State.REGISTERED,
        (State.REGISTERING, "retry"): State.QUEUED,
        (State.REGISTERING, "refuse"): State.FAILED,
    },
)
