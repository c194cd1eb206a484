"""A clinic that is put off or brought forward: whoever is booked hears of the new time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.appointment import endings, reminding
from app.appointment.models import Appointment, Slot
from app.appointment.states import State
from app.core.clock import SHANGHAI
from app.core.work import Work


def times(work: Work, hospital_id: UUID, slot_keys: Collection[str]) -> dict[str, datetime]:
    """When those of these slots begin that are known already."""
    known = select(Slot.key, Slot.starts_at).where(Slot.hospital_id == hospital_id, Slot.key.in_(slot_keys))
    return dict(work.session.execute(known).all())


def tell(work: Work, hospital_id: UUID, before: Mapping[str, datetime]) -> None:
    """Tell who is booked in slots that began at another time `before`, and remind them at the new one. The slots are
    locked."""
    here = (Slot.hospital_id == hospital_id, Slot.key.in_(before), ~Slot.stopped)
    known = work.session.scalars(select(Slot).where(*here).execution_options(populate_existing=True))
    moved = {slot.id: slot for slot in known if slot.starts_at != before[slot.key]}
    booked = (Appointment.slot_id.in_(moved), Appointment.status == State.BOOKED)
    for row in work.session.scalars(select(Appointment).where(*booked)).all() if moved else ():
        starts_at = moved[row.slot_id].starts_at
        time = f"{starts_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        endings.tell(work, row, "appointment_moved", {"time": time}, f"{starts_at.timestamp():.0f}")
        reminding.plan(work, row.id, moved[row.slot_id])
