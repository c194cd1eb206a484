"""How many places one person, and one account, may hold at once: places are few, and who hoards them sells them on.

Live appointments count, and places that the waiting list holds for them.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    SQLColumnExpression,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    union_all,
)

from app.appointment.models import Appointment
from app.appointment.states import LIVE
from app.appointment.waiting.models import WaitingEntry
from app.appointment.waiting.states import WaitingState
from app.core.bare import Bare, word
from app.core.errors import Conflict
from app.core.settings import Settings
from app.core.work import Work

_APPOINTMENT, _ENTRY = cast(Table, Appointment.__table__).c, cast(Table, WaitingEntry.__table__).c
_HOLDS = union_all(
    select(_APPOINTMENT.person_id, _APPOINTMENT.account_id, _APPOINTMENT.slot_id).where(
        or_(*(_APPOINTMENT.status == word(state) for state in LIVE))
    ),
    select(_ENTRY.person_id, _ENTRY.account_id, _ENTRY.offered_slot_id).where(
        _ENTRY.status == word(WaitingState.OFFERED)
    ),
).subquery("holds")
_PERSON: BindParameter[UUID] = bindparam("person")
_ACCOUNT: BindParameter[UUID] = bindparam("account")


# The person first: whoever waits for the account holds no person that another waits for with the account in hand.
_KEYS = [func.hashtextextended(bindparam(name), 0) for name in ("of_person", "of_account")]
_LOCK = Bare(select(*(func.pg_advisory_xact_lock(key) for key in _KEYS)))
_TRY_LOCK = select(and_(*(func.pg_try_advisory_xact_lock(key) for key in _KEYS)))
# Twice in the slot that is asked for nobody can be: what is held there is what they take.
_HELD = Bare(
    select(func.count().filter(_HOLDS.c.person_id == _PERSON), func.count().filter(_HOLDS.c.account_id == _ACCOUNT))
    .where(or_(_HOLDS.c.person_id == _PERSON, _HOLDS.c.account_id == _ACCOUNT))
    .where(or_(_HOLDS.c.person_id != _PERSON, _HOLDS.c.slot_id.is_distinct_from(bindparam("slot"))))
)


def require_room(work: Work, account_id: UUID, person_id: UUID, slot_id: UUID | None) -> None:
    """Conflict `too_many_appointments`, or `too_many_in_account`, when one more, of this slot, would be too many.

    Until the commit nobody else books for either. To be asked before a slot is locked: nobody waits behind a slot for
    a person who waits elsewhere.
    """
    settings = work.runtime.settings
    _LOCK.run(work.session, _names(account_id, person_id))
    known = {"person": person_id, "account": account_id, "slot": slot_id}
    of_person, of_account = _HELD.first(work.session, known)
    for held, most, who, code in (
        (of_person, settings.appointments_per_person, "每位就诊人", "too_many_appointments"),
        (of_account, settings.appointments_per_account, "每个微信用户", "too_many_in_account"),
    ):
        if held >= most:
            text = f"{who}最多同时有 {most} 个未就诊的预约（含候补保留的名额），请先取消不需要的"
            raise Conflict(code, text)


def lock_at_once(work: Work, account_id: UUID, person_id: UUID) -> bool:
    """As `require_room` locks them, by whoever has locked a slot and must wait for nobody: False where somebody else
    books for one of them right now."""
    return bool(work.session.scalar(_TRY_LOCK, _names(account_id, person_id)))


def has_room(
    settings: Settings, account_id: SQLColumnExpression[UUID], person_id: SQLColumnExpression[UUID]
) -> ColumnElement[bool]:
    """For a query of who waits: whether they could take one more place now."""
    of_person = select(func.count()).where(_HOLDS.c.person_id == person_id).scalar_subquery()
    of_account = select(func.count()).where(_HOLDS.c.account_id == account_id).scalar_subquery()
    return and_(of_person < settings.appointments_per_person, of_account < settings.appointments_per_account)


def _names(account_id: UUID, person_id: UUID) -> dict[str, str]:
    return {"of_person": f"holds:{person_id}", "of_account": f"holds:{account_id}"}
