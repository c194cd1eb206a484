"""Reminders of a booked visit: tasks at their times, silent where the visit is not booked any more."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.appointment import endings, queries, rules
from app.appointment.models import Appointment, Slot
from app.appointment.states import State
from app.core.clock import SHANGHAI
from app.core.work import Work

REMIND = "appointment.remind"


def plan(work: Work, appointment_id: UUID, slot: Slot) -> None:
    for before, at in rules.reminders(slot.starts_at, work.now):
        work.later(REMIND, appointment_id, run_at=at, args={"before_s": int(before.total_seconds())})


def remind(work: Work, appointment_id: UUID, before: timedelta) -> None:
    """Tell once. A visit that was put off meanwhile is told at its new time; one that has begun, not at all."""
    row = work.session.get(Appointment, appointment_id, with_for_update=True)
    if row is None or row.status != State.BOOKED:
        return
    slot = queries.slot(work.session, row.slot_id)
    assert slot is not None
    seconds = int(before.total_seconds())
    if slot.starts_at - before > work.now:
        work.later(REMIND, row.id, run_at=slot.starts_at - before, args={"before_s": seconds})
    elif slot.starts_at > work.now:
        time = f"{slot.starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        which = f"{seconds}:{slot.starts_at.timestamp():.0f}"
        endings.tell(work, row, "appointment_reminder", {"time": time}, which)
