"""The registration line: entering it, taking the oldest m, and what the hospital's answer does."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from app.appointment import queries as appointments
from app.core.errors import NotFound
from app.core.ids import partner_number
from app.core.sequence import next_no
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.identity import service as identity
from app.notification import service as notification
from app.registration import rules
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
    2. Move the oldest queued entries to registering in one update.
    3. One `register` command for each, in the order of the line.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{POLL}:{hospital_id}", 0))))
    mine = Registration.hospital_id == hospital_id
    in_hand = work.session.scalar(select(func.count()).where(mine, Registration.status == State.REGISTERING)) or 0
    room = work.runtime.settings.registration_batch - in_hand
    ready = Registration.not_before.is_(None) | (Registration.not_before <= work.now)
    oldest = select(Registration).where(mine, Registration.status == State.QUEUED, ready)
    rows = work.session.scalars(oldest.order_by(Registration.line_no).limit(max(room, 0))).all()
    if rows:
        registrations.move(work, [row.id for row in rows], "begin")
    for row in rows:
        _ask_hospital(work, row)
    return len(rows)


def _ask_hospital(work: Work, row: Registration) -> None:
    person = identity.facts(work, row.person_id, "registration with the hospital")
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
    row = _get(work, answer.subject)
    if answer.outcome == "done":
        _registered(work, row, str(answer.body["patient_no"]))
    elif answer.outcome == "refused":
        if registrations.move(work, [row.id], "refuse", values={"refused_code": answer.code}, lenient=True):
            _tell(work, row, "registration_refused", {"reason": rules.REFUSALS.get(answer.code or "", rules.REFUSED)})
    elif answer.command_id == row.command_id:
        _keep_place(work, row)
    work.later(POLL, row.hospital_id)


def _registered(work: Work, row: Registration, patient_no: str) -> None:
    # A late answer may find the entry queued for another try: it is registered all the same.
    registrations.move(work, [row.id], "begin", lenient=True)
    if not registrations.move(work, [row.id], "register", lenient=True):
        return
    identity.set_patient_number(work, row.hospital_id, patient_no, row.person_id)
    _tell(work, row, "registered", {})
    work.emit("registration.registered", row.id)


def _keep_place(work: Work, row: Registration) -> None:
    """A temporary failure: the entry keeps its number and is tried again; after k tries it steps aside for a while."""
    tries = row.tries + 1
    pause = rules.ASIDE if tries % rules.TRIES_IN_PLACE == 0 else rules.retry_pause(tries)
    not_before = work.now + pause
    if registrations.move(work, [row.id], "retry", values={"tries": tries, "not_before": not_before}, lenient=True):
        work.later(POLL, row.hospital_id, run_at=not_before)


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
