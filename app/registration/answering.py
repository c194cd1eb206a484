"""What the hospital's answers to `register` do, however many come together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, any_, bindparam, func, select

from app.core.db import Ids
from app.core.errors import NotFound
from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.identity import service as identity
from app.notification import service as notification
from app.notification.service import Told
from app.registration import rules
from app.registration.asking import POLL
from app.registration.models import Registration
from app.registration.states import WAITING, State, registrations

# Columns and not rows of the ORM, made once: whole batches are read by it. The entries stay as they are until the
# commit; whoever answers for some of them at the same time locks them in the same order.
_ENTRY = ("id", "hospital_id", "person_id", "account_id", "command_id", "status", "status_since", "tries", "failures",
          "failed_at")  # fmt: skip
_ANSWERED = (
    select(*(Registration.__table__.c[name] for name in _ENTRY))
    .where(Registration.id == any_(bindparam("ids", type_=Ids())))
    .order_by(Registration.id)
    .with_for_update(key_share=True)
)


def hospital_answered(work: Work, answers: Sequence[CommandAnswer]) -> None:
    """`register` came back, for one entry or for many. An answer to an earlier try of the same entry counts too: the
    number was the same."""
    ids = {answer.subject for answer in answers}
    rows = {row.id: row for row in work.session.execute(_ANSWERED, {"ids": list(ids)})}
    if len(rows) < len(ids):
        raise NotFound
    numbers: dict[UUID, str] = {}
    others: list[CommandAnswer] = []
    for answer in answers:
        assert answer.subject is not None
        patient_no = answer.body.get("patient_no")
        if answer.outcome == "done" and patient_no is not None and identity.is_patient_number(patient_no):
            numbers[answer.subject] = patient_no
        else:
            others.append(answer)
    for hospital_id in sorted({row.hospital_id for row in rows.values()}):
        if mine := [rows[one] for one in numbers if rows[one].hospital_id == hospital_id]:
            _registered(work, hospital_id, mine, numbers)
        work.later(POLL, hospital_id)
    left = [answer for answer in others if answer.subject not in numbers]
    company = {one: _company(work, one) for one in {rows[answer.subject].hospital_id for answer in left}}
    for answer in left:
        row = rows[answer.subject]
        _not_registered(work, row, answer, company[row.hospital_id])


def _registered(work: Work, hospital_id: UUID, rows: Sequence[Row[Any]], numbers: Mapping[UUID, str]) -> None:
    waiting = [row for row in rows if row.status in WAITING]
    given = {row.person_id: numbers[row.id] for row in waiting}
    taken = identity.set_patient_numbers(work, hospital_id, given)
    for row in waiting:
        if row.person_id in taken:  # asking again would give the same number again
            _keep_place(work, row, rules.NUMBER_TAKEN, own=True, aside=True)
    known = [row for row in waiting if row.person_id not in taken]
    # A late answer may find the entry queued for another try: it is registered all the same.
    if late := [row.id for row in known if row.status == State.QUEUED]:
        registrations.move(work, late, "begin")
    registrations.move(work, [row.id for row in known], "register", values={"left_at": work.now})
    told = [Told(row.account_id, row.id, f"registered:{row.id}", row.person_id) for row in known]
    notification.notify_all(work, "registered", told, {})
    for row in known:
        work.emit("registration.registered", row.id)


def _company(work: Work, hospital_id: UUID) -> rules.Company:
    here = Registration.hospital_id == hospital_id
    served_at = select(func.max(Registration.left_at)).where(here, Registration.left_at.is_not(None))
    failing = (Registration.status == State.QUEUED) & (Registration.failures > 0)
    troubled = select(func.count()).where(here, Registration.left_at.is_(None))
    troubled = troubled.where((Registration.status == State.REGISTERING) | failing)
    return rules.Company(work.session.scalar(served_at), work.session.scalar(troubled) or 0)


def _not_registered(work: Work, row: Row[Any], answer: CommandAnswer, company: rules.Company) -> None:
    if answer.outcome == "refused" and answer.code in rules.NO_REFUSAL:
        _keep_place(work, row, answer.code, own=True, aside=True)
    elif answer.outcome == "refused":
        values = {"refused_code": answer.code or rules.NO_CODE, "left_at": work.now}
        if registrations.move(work, [row.id], "refuse", values=values, lenient=True):
            _tell(work, row, "registration_refused", {"reason": rules.REFUSALS.get(answer.code or "", rules.REFUSED)})
    elif answer.command_id == row.command_id:
        code = rules.UNFIT if answer.outcome == "done" else answer.code
        own = company.shows_own(code, row.failed_at or row.status_since)
        _keep_place(work, row, code, own=own)


def _keep_place(work: Work, row: Row[Any], code: str | None, *, own: bool, aside: bool = False) -> None:
    """A temporary failure: the entry keeps its number and is tried again; after k of its `own`, or at once with
    `aside`, it steps aside, so that others pass while it rests."""
    failed = rules.failed(work.now, rules.Tally(row.tries, row.failures), code, own=own, aside=aside)
    registrations.move(work, [row.id], "retry", values=failed, lenient=True)


def _tell(work: Work, row: Row[Any], template: str, params: dict[str, str]) -> None:
    notification.notify(work, template, Told(row.account_id, row.id, f"{template}:{row.id}", row.person_id), params)
