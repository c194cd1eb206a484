"""Appointments as routes and tasks use them."""

from __future__ import annotations

from app.appointment.booking import book
from app.appointment.catalogue import apply_catalogue
from app.appointment.confirming import ask_again, attended, fee_paid, hospital_answered
from app.appointment.early import refuse_in_vain
from app.appointment.endings import cancel, fee_closed, fee_not_refunded, fee_refunded, note_missed
from app.appointment.reminding import remind

__all__ = [
    "apply_catalogue",
    "ask_again",
    "attended",
    "book",
    "cancel",
    "fee_closed",
    "fee_not_refunded",
    "fee_paid",
    "fee_refunded",
    "hospital_answered",
    "note_missed",
    "refuse_in_vain",
    "remind",
]
