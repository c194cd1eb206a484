"""Asking the hospital for the oldest entries of its line: at most m at once in its hands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select, text, update
from sqlalchemy.orm import Session

from app.core.db import Ids
from app.core.errors import NotFound, Tampered
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import Asked
from app.identity import service as identity
from app.identity.service import PersonFacts
from app.registration import rules
from app.registration.models import Registration
from app.registration.states import State, registrations

LANE = "registration"
POLL = "registration.poll"
Entry = Row[UUID, str, str, bool, UUID, UUID | None, int, int, bool, bool, bool]
_WHY = "registration with the hospital"
# Every failure so far was the entry's own, by the hospital's word: it can be asked alone. Where the hospital was not
# there, only others beside it show whose failure the next one is.
_ALONE = (
    Registration.tries.between(1, rules.TRIES_IN_PLACE - 1)
    & (Registration.failures == Registration.tries)
    & Registration.last_code.not_in(rules.NOT_THERE | {rules.UNREADABLE})
)
# Columns and not rows of the ORM: a whole poll is read by it.
_ENTRY = (
    Registration.id,
    Registration.no,
    Registration.appointment_no,
    Registration.self_pay,
    Registration.person_id,
    Registration.command_id,
    Registration.tries,
    Registration.failures,
    _ALONE.label("alone"),
    identity.is_acted_for(Registration.person_id).label("acted_for"),
)
_NOTE_COMMANDS = text("""
    UPDATE registration SET command_id = c.command_id, asked_at = coalesce(asked_at, :now)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:commands AS uuid[])) AS c(id, command_id) WHERE registration.id = c.id
""").bindparams(bindparam("ids", type_=Ids()), bindparam("commands", type_=Ids()))


def poll(work: Work, hospital_id: UUID) -> int:
    """Take the oldest entries of one hospital and ask for each in order, one `register` command each; how many. Come
    back when the first resting entry may be tried again.

    The commands stand until the agent answers: a slow hospital answers late, and one whose agent is away keeps
    everybody in order.
    """
    asked = take(work, hospital_id)
    if asked:
        commands = exchange.command_all(work, hospital_id, "register", asked, lane=LANE)
        noted = {"ids": [one.subject for one in asked], "commands": commands, "now": work.now}
        work.session.execute(_NOTE_COMMANDS, noted)
    if (again := _next_trial(work, hospital_id)) is not None:
        work.later(POLL, hospital_id, run_at=again)
    return len(asked)


def take(work: Work, hospital_id: UUID) -> list[Asked]:
    """The oldest entries, in the order of the line, with what the hospital is to be asked for each. At most m are in
    its hands at once.

    1. The lane's lock: one worker chooses at a time.
    2. Up to the first entry that rests in its place after a failure: nobody behind it is taken before it. Nor is
       anybody behind one that has failed by itself taken with it, or while it is asked again.
    3. Whoever nobody is bound to leaves the line unasked; what the hospital was asked before, it is asked to its end.
    4. Move them to registering in one update.

    An entry whose person cannot be read has failed like one that the hospital could not take.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{POLL}:{hospital_id}", 0))))
    mine = Registration.hospital_id == hospital_id
    alone_no = func.min(Registration.line_no).filter(_ALONE)
    waiting = Registration.left_at.is_(None)
    in_hand = select(func.count(), alone_no).where(mine, waiting, Registration.status == State.REGISTERING)
    count, alone_no_in_hand = work.session.execute(in_hand).one()
    room = batch_of(work.session, hospital_id, work.runtime.settings.registration_batch) - count
    ready = _oldest_ready(work, hospital_id, room, alone_no_in_hand) if room > 0 else []
    asked = _readable(work, hospital_id, _acted_for(work, hospital_id, ready))
    if asked:
        registrations.move(work, [one.subject for one in asked if one.subject is not None], "begin")
    return asked


def batch_of(session: Session, hospital_id: UUID, usual: int) -> int:
    """m, the most entries in this hospital's hands: its own where one is agreed."""
    return int(exchange.party(session, hospital_id).config.get("registration_batch") or usual)


def _oldest_ready(work: Work, hospital_id: UUID, room: int, alone_no: int | None) -> Sequence[Entry]:
    """Queued entries in the order of the line, before `alone_no`. An entry that stepped aside is passed while it rests;
    one that rests in its place is not, nor one that is asked alone."""
    mine = (Registration.hospital_id == hospital_id, Registration.left_at.is_(None))
    rests = func.coalesce(Registration.not_before > work.now, False)
    aside = rests & (Registration.tries >= rules.TRIES_IN_PLACE)
    oldest = select(*_ENTRY, rests.label("rests")).where(*mine, Registration.status == State.QUEUED, ~aside)
    if alone_no is not None:
        oldest = oldest.where(Registration.line_no < alone_no)
    rows = work.session.execute(oldest.order_by(Registration.line_no).limit(room)).all()
    ready = list(takewhile(lambda row: not row.rests, rows))
    alone = next((at for at, row in enumerate(ready, 1) if row.alone), len(ready))
    return ready[:alone]


def _acted_for(work: Work, hospital_id: UUID, rows: Sequence[Entry]) -> Sequence[Entry]:
    """Without those of persons to whom nobody is bound any more: their data goes to nobody in whose name it was asked
    for. One that was asked for before goes on, because the hospital may have registered it."""
    unbound = {row.id for row in rows if row.command_id is None and not row.acted_for}
    if unbound:
        left = {"refused_code": rules.UNBOUND, "left_at": work.now}
        registrations.move(work, unbound, "leave", values=left)
        work.later(POLL, hospital_id)  # for those behind them
    return [row for row in rows if row.id not in unbound]


def _readable(work: Work, hospital_id: UUID, rows: Sequence[Entry]) -> list[Asked]:
    """What is asked for each entry, in order: without those whose data cannot be read, and without those behind one of
    them that keeps its place."""
    try:
        bodies = _bodies(work, rows)
        return [Asked(row.id, bodies[row.id]) for row in rows]
    except (NotFound, Tampered):
        pass  # one of them: which one is found out below
    readable: list[Asked] = []
    for row in rows:
        try:
            readable.append(Asked(row.id, _bodies(work, [row])[row.id]))
        except (NotFound, Tampered):
            failed = rules.failed(work.now, rules.Tally(row.tries, row.failures), rules.UNREADABLE)
            work.session.execute(update(Registration).where(Registration.id == row.id).values(failed))
            work.audit("registration.unreadable", "registration", row.id, tries=failed["tries"])
            if failed["tries"] < rules.TRIES_IN_PLACE:
                break
            work.later(POLL, hospital_id)  # for those behind it, if it was to be asked alone
    return readable


def _bodies(work: Work, rows: Sequence[Entry]) -> dict[UUID, dict[str, Any]]:
    """For each entry what the hospital was asked under its number before, also where the person's data has changed
    since; for a new one the person's data of now."""
    before = [row.command_id for row in rows if row.command_id is not None]
    bodies = exchange.asked_bodies(work, before) if before else {}
    new = [row for row in rows if row.id not in bodies]
    people = identity.facts_of(work, [row.person_id for row in new], _WHY) if new else {}
    return bodies | {row.id: _body(row, people[row.person_id]) for row in new}


def _next_trial(work: Work, hospital_id: UUID) -> datetime | None:
    mine = (Registration.hospital_id == hospital_id, Registration.left_at.is_(None))
    resting = (Registration.status == State.QUEUED, Registration.not_before > work.now)
    return work.session.scalar(select(func.min(Registration.not_before)).where(*mine, *resting))


def _body(row: Entry, person: PersonFacts) -> dict[str, Any]:
    return {
        "registration_no": row.no,
        "appointment_no": row.appointment_no,
        "name": person.name,
        "document_type": person.document_type,
        "document_no": person.document_no,
        "phone": person.phone,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "medical_card_no": None if row.self_pay else person.medical_card_no,
    }
