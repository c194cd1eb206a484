"""The registration line: entering it, taking the oldest m, and what the hospital's answer does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.appointment import queries as appointments
from app.core.errors import Conflict, NotFound, Tampered
from app.core.ids import partner_number
from app.core.sequence import next_no
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.identity import service as identity
from app.identity.service import PersonFacts
from app.notification import service as notification
from app.registration import queries, rules
from app.registration.models import Registration
from app.registration.states import WAITING, State, registrations

LANE = "registration"
POLL = "registration.poll"


def enter(work: Work, appointment_id: UUID) -> None:
    """A booked appointment brings its person into the hospital's line, unless waiting there or registered already."""
    booked = appointments.appointment(work.session, appointment_id)
    if booked is None:
        raise NotFound
    live = (Registration.hospital_id == booked.hospital_id, Registration.person_id == booked.person_id)
    line_no = next_no(work.session, f"registration:{booked.hospital_id}")
    if work.session.scalar(select(Registration.id).where(*live, Registration.status != State.FAILED)) is not None:
        return
    row = Registration(
        hospital_id=booked.hospital_id,
        line_no=line_no,
        no=partner_number("rg"),
        person_id=booked.person_id,
        account_id=booked.account_id,
        appointment_id=booked.id,
        appointment_no=booked.no,
    )
    registrations.start(work, row, State.QUEUED)
    work.later(POLL, booked.hospital_id)


def poll(work: Work, hospital_id: UUID) -> int:
    """Take the oldest entries of one hospital, at most m at once in the hospital's hands, and ask for each in order.

    1. The lane's lock: one worker chooses at a time.
    2. Up to the first entry that rests in its place after a failure: nobody behind it is taken before it.
    3. Move them to registering in one update, and write one `register` command for each, in the order of the line.
    4. Come back when the first resting entry may be tried again.

    An entry whose person cannot be read has failed like one that the hospital could not take.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{POLL}:{hospital_id}", 0))))
    mine = Registration.hospital_id == hospital_id
    in_hand = work.session.scalar(select(func.count()).where(mine, Registration.status == State.REGISTERING)) or 0
    room = batch_of(work.session, hospital_id, work.runtime.settings.registration_batch) - in_hand
    rows, people = _readable(work, _oldest_ready(work, hospital_id, room) if room > 0 else [])
    if rows:
        registrations.move(work, [row.id for row in rows], "begin")
        rows = _reload(work, rows)
        for row in rows:
            _ask_hospital(work, row, people[row.person_id])
    if (again := _next_trial(work, hospital_id)) is not None:
        work.later(POLL, hospital_id, run_at=again)
    return len(rows)


def _oldest_ready(work: Work, hospital_id: UUID, room: int) -> Sequence[Registration]:
    """Queued entries in the order of the line. An entry that stepped aside is passed while it rests; one that rests in
    its place is not."""
    resting = (Registration.not_before > work.now, Registration.status == State.QUEUED)
    mine = Registration.hospital_id == hospital_id
    in_place = Registration.tries < rules.TRIES_IN_PLACE
    stop = select(func.min(Registration.line_no)).where(mine, *resting, in_place).scalar_subquery()
    ready = Registration.not_before.is_(None) | (Registration.not_before <= work.now)
    oldest = select(Registration).where(mine, Registration.status == State.QUEUED, ready)
    before = func.coalesce(Registration.line_no < stop, True)
    return work.session.scalars(oldest.where(before).order_by(Registration.line_no).limit(room)).all()


def _readable(work: Work, rows: Sequence[Registration]) -> tuple[Sequence[Registration], dict[UUID, PersonFacts]]:
    """The entries that can be asked for, in order, and who they are: without those whose person cannot be read, and
    without those behind one of them that keeps its place."""
    why = "registration with the hospital"
    try:
        return rows, identity.facts_of(work, [row.person_id for row in rows], why) if rows else {}
    except (NotFound, Tampered):
        pass  # one of them: which one is found out below
    readable: list[Registration] = []
    people: dict[UUID, PersonFacts] = {}
    for row in rows:
        try:
            people |= identity.facts_of(work, [row.person_id], why)
            readable.append(row)
        except (NotFound, Tampered):
            for name, value in _failed(work, row, rules.UNREADABLE).items():
                setattr(row, name, value)
            work.audit("registration.unreadable", "registration", row.id, tries=row.tries)
            if row.tries < rules.TRIES_IN_PLACE:
                break
    work.session.flush()
    return readable, people


def _reload(work: Work, rows: Sequence[Registration]) -> Sequence[Registration]:
    """The moved rows in one read; one by one they would be read when they are touched."""
    moved = select(Registration).where(Registration.id.in_([row.id for row in rows]))
    return work.session.scalars(moved.order_by(Registration.line_no)).all()


def _next_trial(work: Work, hospital_id: UUID) -> datetime | None:
    resting = (Registration.status == State.QUEUED, Registration.not_before > work.now)
    return work.session.scalar(
        select(func.min(Registration.not_before)).where(Registration.hospital_id == hospital_id, *resting)
    )


def _ask_hospital(work: Work, row: Registration, person: PersonFacts) -> None:
    body = {
        "registration_no": row.no,
        "appointment_no": row.appointment_no,
        "name": person.name,
        "document_type": person.document_type,
        "document_no": person.document_no,
        "phone": person.phone,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "medical_card_no": person.medical_card_no,
    }
    row.command_id = exchange.command(
        work, row.hospital_id, "register", body, lane=LANE, subject=row.id, deadline=work.now + rules.COMMAND_LIFE
    )


def hospital_answered(work: Work, answer: CommandAnswer) -> None:
    """`register` came back. An answer to an earlier try of the same entry counts too: the number was the same."""
    assert answer.subject is not None
    row = _get(work, answer.subject)
    patient_no = answer.body.get("patient_no")
    if answer.outcome == "done" and isinstance(patient_no, str) and patient_no:
        if identity.person_of_patient(work.session, row.hospital_id, patient_no) in (None, row.person_id):
            _registered(work, row, patient_no)
        else:  # the hospital gave a number that is another person's: asking again would give it again
            _keep_place(work, row, rules.NUMBER_TAKEN, aside=True)
    elif answer.outcome == "refused":
        if registrations.move(work, [row.id], "refuse", values={"refused_code": answer.code}, lenient=True):
            _tell(work, row, "registration_refused", {"reason": rules.REFUSALS.get(answer.code or "", rules.REFUSED)})
    elif answer.command_id == row.command_id:
        _keep_place(work, row, answer.code)
    work.later(POLL, row.hospital_id)


def _registered(work: Work, row: Registration, patient_no: str) -> None:
    # A late answer may find the entry queued for another try: it is registered all the same.
    registrations.move(work, [row.id], "begin", lenient=True)
    if not registrations.move(work, [row.id], "register", lenient=True):
        return
    identity.set_patient_number(work, row.hospital_id, patient_no, row.person_id)
    _tell(work, row, "registered", {})
    work.emit("registration.registered", row.id)


def _keep_place(work: Work, row: Registration, code: str | None, *, aside: bool = False) -> None:
    """A temporary failure: the entry keeps its number and is tried again; after k tries, or at once with `aside`, it
    steps aside, so that others pass while it rests."""
    registrations.move(work, [row.id], "retry", values=_failed(work, row, code, aside=aside), lenient=True)


def _failed(work: Work, row: Registration, code: str | None, *, aside: bool = False) -> dict[str, Any]:
    tries = max(row.tries + 1, rules.TRIES_IN_PLACE if aside else 0)
    pause = rules.retry_pause(tries) if tries < rules.TRIES_IN_PLACE else rules.ASIDE
    return {"tries": tries, "not_before": work.now + pause, "last_code": (code or "no_answer")[:60]}


def put_back(work: Work, registration_id: UUID, party_id: UUID | None) -> Registration:
    """An operator (of the platform, or of the hospital `party_id`) has seen to an entry that stepped aside: it is tried
    again at once and holds its old place. Conflict `not_aside`."""
    row = work.session.get(Registration, registration_id, with_for_update=True, populate_existing=True)
    if row is None or party_id not in (None, row.hospital_id):
        raise NotFound
    if row.status != State.QUEUED or row.tries < rules.TRIES_IN_PLACE:
        raise Conflict("not_aside", "这条建档申请没有被搁置")
    row.tries, row.not_before = 0, None
    work.audit("registration.put_back", "registration", row.id, code=row.last_code)
    work.later(POLL, row.hospital_id)
    return row


def batch_of(session: Session, hospital_id: UUID, usual: int) -> int:
    """m, the most entries in this hospital's hands: its own where one is agreed."""
    return int(exchange.party(session, hospital_id).config.get("registration_batch") or usual)


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


def _tell(work: Work, row: Registration, template: str, params: dict[str, str]) -> None:
    notification.notify(
        work, template, account_id=row.account_id, subject=row.id, params=params, dedupe=f"{template}:{row.id}"
    )


def _get(work: Work, registration_id: UUID) -> Registration:
    row = work.session.get(Registration, registration_id)
    if row is None:
        raise NotFound
    return row
