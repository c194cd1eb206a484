"""Why a slot cannot be had, and what is free nearby."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NoReturn

from app.appointment import queries
from app.appointment.models import Slot
from app.core.clock import SHANGHAI
from app.core.errors import Conflict
from app.core.work import Work

WHY_NOT: Mapping[str, str] = {
    "slot_full": "该号源已约满，请选择其他号源",
    "slot_stopped": "医生停诊，请选择其他号源",
    "slot_past": "该号源已过时间，请选择其他号源",
    "slot_moved": "该号源的时间或医生刚刚有变，请重新选择",
}


def why_not(work: Work, slot: Slot) -> str | None:
    """The code of why a place of the slot cannot be had; None if it can."""
    if slot.stopped:
        return "slot_stopped"
    if slot.ends_at <= work.clock.horizon():
        return "slot_past"
    return "slot_full" if slot.taken >= slot.capacity else None


def refuse(work: Work, slot: Slot, code: str) -> NoReturn:
    """Say why not, and what is free nearby."""
    near = queries.free_nearby(work.session, slot, work.clock.horizon())
    raise Conflict(code, WHY_NOT[code], fields=named(near))


def named(slots: Iterable[Slot]) -> dict[str, str]:
    return {str(slot.id): f"{slot.starts_at.astimezone(SHANGHAI):%m-%d %H:%M} 有号" for slot in slots}
