from __future__ import annotations

from enum import StrEnum

from app.appointment.waiting.models import WaitingEntry
from app.core.machine import Machine


class WaitingState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"  # a place is held for this person, for a set time
    TAKEN = "taken"  # the offer became an appointment
    LEFT = "left"
    LAPSED = "lapsed"  # nobody took the offer in time
    CLOSED = "closed"  # stopped, or past


LIVE = (WaitingState.WAITING, WaitingState.OFFERED)

waiting_entries = Machine(
    "waiting_entry",
    WaitingEntry,
    {
        (WaitingState.WAITING, "offer"): WaitingState.OFFERED,
        (WaitingState.WAITING, "leave"): WaitingState.LEFT,
        (WaitingState.WAITING, "close"): WaitingState.CLOSED,
        (WaitingState.OFFERED, "accept"): WaitingState.TAKEN,
        (WaitingState.OFFERED, "leave"): WaitingState.LEFT,
        (WaitingState.OFFERED, "lapse"): WaitingState.LAPSED,
        (WaitingState.OFFERED, "close"): WaitingState.CLOSED,
        # The clinic of the offer was stopped, and another of that doctor's day may still have a place.
        (WaitingState.OFFERED, "withdraw"): WaitingState.WAITING,
        # The hospital had no place behind the offer.
        (WaitingState.TAKEN, "return"): WaitingState.WAITING,
    },
)
