"""How people come into a hospital's line: those whose booking it has accepted, in the order of acceptance.

The place is decided where the booking becomes `booked` (`Appointment.arrival_no`). Who lets people in, lets in
everybody up to now: it does not matter whose task comes first, or which worker died holding one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.appointment import queries as appointments
from app.appointment.queries import Arrival
from app.core.ids import new_id, partner_number
from app.core.work import Work
from app.registration.asking import POLL
from app.registration.models import Registration, RegistrationLine
from app.registration.states import State, registrations

ENTER = "registration.enter"
AT_ONCE = 500


def enter(work: Work, appointment_ids: Collection[UUID]) -> None:
    """These appointments were booked: their hospitals' lines let in whoever has arrived."""
    for hospital_id in sorted(appointments.hospitals_of(work.session, appointment_ids)):
        let_in(work, hospital_id)


def let_in(work: Work, hospital_id: UUID) -> None:
    """Everybody who has arrived since the last time, unless waiting or registered there already.

    1. The line's row: one worker lets in at a time.
    2. The next bookings in the order in which they were accepted. Numbers follow commits, so none is skipped.
    3. Their entries in one insert; the line remembers how far it is.
    """
    line = _line(work, hospital_id)
    arrived = appointments.arrived_after(work.session, hospital_id, line.let_in_no, AT_ONCE)
    if not arrived:
        return
    if rows := _entries(hospital_id, arrived, _live(work, hospital_id, arrived)):
        registrations.start_many(work, rows, State.QUEUED)
        work.later(POLL, hospital_id)
    line.let_in_no = arrived[-1].arrival_no
    if len(arrived) == AT_ONCE:
        work.later(ENTER, arrived[-1].id)


def _line(work: Work, hospital_id: UUID) -> RegistrationLine:
    work.session.execute(insert(RegistrationLine).values(hospital_id=hospital_id).on_conflict_do_nothing())
    mine = select(RegistrationLine).where(RegistrationLine.hospital_id == hospital_id).with_for_update()
    return work.session.scalars(mine.execution_options(populate_existing=True)).one()


def _live(work: Work, hospital_id: UUID, arrived: Sequence[Arrival]) -> set[UUID]:
    """Who of them is waiting in the line or registered."""
    here = (Registration.hospital_id == hospital_id, Registration.status != State.FAILED)
    among = Registration.person_id.in_({one.person_id for one in arrived})
    return set(work.session.scalars(select(Registration.person_id).where(*here, among)))


def _entries(hospital_id: UUID, arrived: Sequence[Arrival], live: set[UUID]) -> list[dict[str, Any]]:
    first: dict[UUID, Arrival] = {}
    for one in arrived:
        if one.person_id not in live:
            first.setdefault(one.person_id, one)
    return [
        {
            "id": new_id(),
            "hospital_id": hospital_id,
            "line_no": one.arrival_no,
            "no": partner_number("rg"),
            "person_id": one.person_id,
            "account_id": one.account_id,
            "appointment_id": one.id,
            "appointment_no": one.no,
            "self_pay": one.self_pay,
            "tries": 0,
            "failures": 0,
        }
        for one in first.values()
    ]
