"""What a burst hears when a slot cannot be had: decided by one read, before anything is written.

Nothing is sold here. Whatever this look does not settle (a place is free, the request was answered before, the person
has the place already, the caller may not act for the person) goes the whole way, where the database decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, case, exists, or_, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.appointment import contracts as c
from app.appointment import queries, refusals
from app.appointment.models import Appointment, Slot
from app.appointment.states import LIVE
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState
from app.core import idempotency
from app.core.bare import word
from app.core.errors import Conflict
from app.core.idempotency import Asked
from app.core.work import Runtime
from app.identity import service as identity

NEARBY_LIFE_S = 1.0
_SLOT, _APPOINTMENT, _ENTRY = Slot.__table__.c, Appointment.__table__.c, WaitingEntry.__table__.c


_WHY = case(
    (_SLOT.stopped, word("slot_stopped")),
    (_SLOT.ends_at <= bindparam("horizon"), word("slot_past")),
    (_SLOT.taken >= _SLOT.capacity, word("slot_full")),
)
_HOLDS_IT = exists().where(
    _APPOINTMENT.slot_id == _SLOT.id,
    _APPOINTMENT.person_id == bindparam("person_id"),
    or_(*(_APPOINTMENT.status == word(state) for state in LIVE)),
)
_IS_OFFERED_IT = exists().where(
    _ENTRY.offered_slot_id == _SLOT.id,
    _ENTRY.person_id == bindparam("person_id"),
    _ENTRY.status == word(WaitingState.OFFERED),
)
_LOOK = select(_WHY).where(
    _SLOT.id == bindparam("slot_id"),
    _WHY.is_not(None),
    identity.acts_for(bindparam("account_id"), bindparam("person_id")),
    ~or_(_HOLDS_IT, _IS_OFFERED_IT, idempotency.was_asked(bindparam("principal"), bindparam("key"))),
)
# Made once, down to its text: to make it takes longer than to run it.
_LOOK_TEXT = str(_LOOK.compile(dialect=PGDialect_psycopg()))


class _Nearby:
    """Free slots near a full one, as a refusal names them; at most `NEARBY_LIFE_S` old, so a burst asks once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[UUID, tuple[float, dict[str, str]]] = {}

    def of(self, slot_id: UUID, read: Callable[[], dict[str, str]]) -> dict[str, str]:
        now = time.monotonic()
        with self._lock:
            read_at, found = self._known.get(slot_id, (None, {}))
            if read_at is not None and now - read_at < NEARBY_LIFE_S:
                return found
            if read_at is not None:
                self._known[slot_id] = (now, found)  # what one reads anew is not read by the others meanwhile
        found = read()
        with self._lock:
            self._known = {one: kept for one, kept in self._known.items() if now - kept[0] < NEARBY_LIFE_S}
            self._known[slot_id] = (now, found)
        return found


_nearby = _Nearby()


def refuse_in_vain(runtime: Runtime, asked: Asked, account_id: UUID, wanted: c.Book) -> None:
    """Conflict `slot_full`, `slot_stopped` or `slot_past`, as `booking.book` would say it; else nothing."""
    horizon = runtime.clock.horizon()
    known: dict[str, Any] = {
        "slot_id": wanted.slot_id,
        "person_id": wanted.person_id,
        "account_id": account_id,
        "horizon": horizon,
        "principal": asked.principal,
        "key": asked.key,
    }
    found = runtime.database.look(_LOOK_TEXT, known)
    if found is not None:
        near = _nearby.of(wanted.slot_id, lambda: _near(runtime, wanted.slot_id, horizon))
        raise Conflict(found[0], refusals.WHY_NOT[found[0]], fields=near)


def _near(runtime: Runtime, slot_id: UUID, horizon: datetime) -> dict[str, str]:
    with runtime.read() as session:
        slot = queries.slot(session, slot_id)
        return refusals.named(queries.free_nearby(session, slot, horizon)) if slot is not None else {}
