"""The registration line as other features see it: entering it, polling it, its answers, and who is registered."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.registration import queries, rules
from app.registration.answering import hospital_answered
from app.registration.asking import POLL, batch_of, poll
from app.registration.entering import enter
from app.registration.models import Registration
from app.registration.states import WAITING, State
from app.registration.sweeping import sweep

__all__ = [
    "enter",
    "hospital_answered",
    "is_registered",
    "poll",
    "put_back",
    "require_batch_above_quotas",
    "require_registered",
    "sweep",
]


def put_back(work: Work, registration_id: UUID, party_id: UUID | None) -> Registration:
    """An operator (of the platform, or of the hospital `party_id`) has seen to an entry that stepped aside: it is tried
    again at once and holds its old place. Conflict `not_aside`."""
    row = work.session.get(Registration, registration_id, with_for_update=True, populate_existing=True)
    if row is None or party_id not in (None, row.hospital_id):
        raise NotFound
    if row.status != State.QUEUED or row.tries < rules.TRIES_IN_PLACE:
        raise Conflict("not_aside", "这条建档申请没有被搁置")
    row.tries, row.failures, row.failed_at, row.not_before = 0, 0, None, None
    work.audit("registration.put_back", "registration", row.id, code=row.last_code)
    work.later(POLL, row.hospital_id)
    return row


def require_batch_above_quotas(session: Session, batch: int) -> None:
    """m > n: a poll must take more entries than the hospital's interface admits trials in one window, or registration
    would be what the trials wait for. ValueError names hospital and interface."""
    for hospital_id, interface in exchange.interfaces(session).items():
        m, n = batch_of(session, hospital_id, batch), int(interface.config["n"])
        if m <= n:
            hospital = exchange.party(session, hospital_id)
            raise ValueError(
                f"REGISTRATION_BATCH is {m} for {hospital.code}; it must be above the {n} trials a window "
                f"of {interface.code}"
            )


def require_registered(work: Work, hospital_id: UUID, person_id: UUID) -> None:
    """Conflict `not_registered` before 建档完成; the message says what the person can do or wait for."""
    if is_registered(work, hospital_id, person_id):
        return
    mine = (Registration.hospital_id == hospital_id, Registration.person_id == person_id)
    row = work.session.scalar(select(Registration).where(*mine).order_by(Registration.line_no.desc()).limit(1))
    place = queries.place(work.session, row) if row is not None else None
    if place is not None:
        why = f"正在排队建档，当前第 {place.place} 位，建档完成后会通知您，届时再试算"
    elif row is not None and row.refused_code is not None:
        why = rules.REFUSALS.get(row.refused_code, rules.REFUSED)
    else:
        why = "还没有在这家医院建档，预约成功后会自动建档，完成后会通知您"
    raise Conflict("not_registered", why)


def is_registered(work: Work, hospital_id: UUID, person_id: UUID) -> bool:
    """Whether the hospital knows the person: registered through the line, or known before and not waiting in it."""
    mine = (Registration.hospital_id == hospital_id, Registration.person_id == person_id)
    states = set(work.session.scalars(select(Registration.status).where(*mine)))
    if State.REGISTERED in states:
        return True
    return not states & set(WAITING) and identity.patient_number(work.session, hospital_id, person_id) is not None
