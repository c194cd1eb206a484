from __future__ import annotations

from enum import StrEnum

from app.appointment.models import Appointment
from app.core.machine import Machine


class State(StrEnum):
    PENDING = "pending"  # the fee or the hospital's confirmation is waited for
    BOOKED = "booked"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ATTENDED = "attended"
    NO_SHOW = "no_show"


LIVE = (State.PENDING, State.BOOKED)
GIVEN_UP = (State.REFUSED, State.EXPIRED, State.CANCELLED)

appointments = Machine(
    "appointment",
    Appointment,
    {
        (State.PENDING, "confirm"): State.BOOKED,
        (State.PENDING, "refuse"): State.REFUSED,
        (State.PENDING, "expire"): State.EXPIRED,
        (State.PENDING, "cancel"): State.CANCELLED,
        (State.BOOKED, "cancel"): State.CANCELLED,
        (State.BOOKED, "attend"): State.ATTENDED,
        (State.BOOKED, "miss"): State.NO_SHOW,
        (State.NO_SHOW, "attend"): State.ATTENDED,  # the visit was pushed late
    },
)
