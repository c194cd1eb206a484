"""How many places one person, and one account, may hold at once: places are few, and who hoards them sells them on."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import BindParameter, Table, bindparam, func, or_, select

from app.appointment.models import Appointment
from app.appointment.states import LIVE
from app.core.bare import Bare, word
from app.core.errors import Conflict
from app.core.work import Work

_TABLE = cast(Table, Appointment.__table__).c
_PERSON: BindParameter[UUID] = bindparam("person")
_ACCOUNT: BindParameter[UUID] = bindparam("account")


# The person first: whoever waits for the account holds no person that another waits for with the account in hand.
_LOCK = Bare(
    select(
        func.pg_advisory_xact_lock(func.hashtextextended(bindparam("of_person"), 0)),
        func.pg_advisory_xact_lock(func.hashtextextended(bindparam("of_account"), 0)),
    )
)
_HELD = Bare(
    select(func.count().filter(_TABLE.person_id == _PERSON), func.count().filter(_TABLE.account_id == _ACCOUNT))
    .where(or_(_TABLE.person_id == _PERSON, _TABLE.account_id == _ACCOUNT))
    .where(or_(*(_TABLE.status == word(state) for state in LIVE)))
)


def require_room(work: Work, account_id: UUID, person_id: UUID) -> None:
    """Conflict `too_many_appointments`, or `too_many_in_account`, when one more would be too many.

    Until the commit nobody else books for either. To be asked before a slot is locked: nobody waits behind a slot for
    a person who waits elsewhere.
    """
    settings = work.runtime.settings
    _LOCK.run(work.session, {"of_person": f"holds:{person_id}", "of_account": f"holds:{account_id}"})
    of_person, of_account = _HELD.first(work.session, {"person": person_id, "account": account_id})
    if of_person >= settings.appointments_per_person:
        text = f"每位就诊人最多同时有 {settings.appointments_per_person} 个未就诊的预约，请先取消不需要的预约"
        raise Conflict("too_many_appointments", text)
    if of_account >= settings.appointments_per_account:
        text = f"每个微信用户最多同时有 {settings.appointments_per_account} 个未就诊的预约，请先取消不需要的预约"
        raise Conflict("too_many_in_account", text)
