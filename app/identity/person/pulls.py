"""Asking a hospital for a patient's records: answered within seconds, or asked again while the patient sees it.

Whoever binds a person may be looking at the page, so that the hospital's machine has ten seconds; whoever was just
registered in a line is not, and the question waits in the machine's lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from app.core.pieces import pieces
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import Asked, CommandAnswer
from app.identity.person import rules
from app.identity.person.contracts import PulledIn
from app.identity.person.models import Binding, PatientNumber
from app.identity.person.states import BindingState

LANE = "pull"
_NOBODY_WAITS = {"pull_id": None, "awaited_since": None, "more_follows": False}
_AT_NIGHT = 1000  # of one hospital, the longest waiting first
TOGETHER = 20  # patients in one command: what is asked for behind it does not wait for long


@dataclass(frozen=True)
class AwaitedRecords:
    """A hospital that owes a person's records. With `more_follows` it has sent a part."""

    hospital_id: UUID
    since: datetime
    more_follows: bool


def ask(work: Work, hospital_id: UUID, person_id: UUID, patient_no: str) -> None:
    """For a patient who may be looking, and to whom somebody is bound there. The waiting goes on if the hospital was
    asked before."""
    body = {"patient_no": patient_no}
    pull_id = exchange.command(
        work, hospital_id, "pull_patient", body, lane=LANE, subject=person_id, deadline=work.now + rules.PULL_LIMIT
    )
    mine = (PatientNumber.hospital_id == hospital_id, PatientNumber.patient_no == patient_no)
    since = func.coalesce(PatientNumber.awaited_since, work.now)
    work.session.execute(update(PatientNumber).where(*mine).values(pull_id=pull_id, awaited_since=since))


def ask_all(work: Work, hospital_id: UUID, numbers: Mapping[UUID, str]) -> dict[UUID, UUID]:
    """For many persons of one hospital whose numbers (person -> number) are about to be noted, and to whom somebody is
    bound there; each one's pull, which asks for several."""
    patients = list(numbers.values())
    asked = list(pieces(patients, TOGETHER))
    commands = [Asked(None, {"patient_nos": some}) for some in asked]
    pulls = exchange.command_all(work, hospital_id, "pull_patients", commands, lane=LANE)
    return dict(zip(numbers, (pull for pull, some in zip(pulls, asked, strict=True) for _ in some), strict=True))


def answered(work: Work, answers: Sequence[CommandAnswer]) -> None:
    """What the hospitals said. Only the newest question about a number counts."""
    rows = _locked(work.session, [answer.command_id for answer in answers])
    left: list[PatientNumber] = []
    for answer in answers:
        mine = rows.get(answer.command_id, [])
        if answer.outcome == "refused":
            _note_refused(work, mine, answer)
            continue
        pulled = _read(answer)
        awaited = mine if pulled is None else [row for row in mine if pulled.lacks(row.patient_no)]
        for row in awaited:
            row.more_follows = row.more_follows or pulled is not None
        _ask_later(work, answer.command_id, awaited, more_follows=pulled is not None)
        left += awaited
    _nobody_waits(work.session, list(rows), but=left)


def _read(answer: CommandAnswer) -> PulledIn | None:
    """None where nothing can be said to have come: it failed, or the answer cannot be read."""
    if answer.outcome != "done":
        return None
    try:
        return PulledIn.model_validate(answer.body)
    except ValidationError:
        return None


def _note_refused(work: Work, rows: Sequence[PatientNumber], answer: CommandAnswer) -> None:
    for row in rows:
        work.audit("pull.refused", "person", row.person_id, hospital=str(row.hospital_id), code=answer.code)


def _ask_later(work: Work, pull_id: UUID, rows: Sequence[PatientNumber], *, more_follows: bool) -> None:
    """Those of one command, who have waited equally long."""
    if not rows:
        return
    assert rows[0].awaited_since is not None
    pause = rules.pulls_again_after(work.now - rows[0].awaited_since, more_follows=more_follows)
    if pause is not None:
        work.later("identity.pull_again", pull_id, run_at=work.now + pause)


def again(work: Work, pull_id: UUID) -> None:
    """Ask once more, unless it has been asked since, the records have come, or nobody acts for the person there any
    more."""
    rows = _locked(work.session, [pull_id]).get(pull_id, [])
    here = Binding.hospital_id.in_({row.hospital_id for row in rows})
    live = (Binding.person_id.in_({row.person_id for row in rows}), Binding.status == BindingState.LIVE)
    bound = set(work.session.scalars(select(Binding.person_id).where(here, *live)))
    wanted = [row for row in rows if row.person_id in bound]
    _nobody_waits(work.session, [pull_id], but=wanted)
    if len(wanted) == 1:
        ask(work, wanted[0].hospital_id, wanted[0].person_id, wanted[0].patient_no)
    elif wanted:
        _ask_each(work, wanted)


def _ask_each(work: Work, rows: Sequence[PatientNumber]) -> None:
    """What was asked for together and did not come is asked for one by one: whoever's records cannot be read is alone
    with it. Nobody is looking, and the machine has its time."""
    asked = [Asked(row.person_id, {"patient_no": row.patient_no}) for row in rows]
    pulls = exchange.command_all(work, rows[0].hospital_id, "pull_patient", asked, lane=LANE)
    for row, pull_id in zip(rows, pulls, strict=True):
        row.pull_id = pull_id


def ask_late(work: Work, hospital_id: UUID) -> None:
    """The hospital's machine is there: ask for everything that has been awaited for too long to be asked by day."""
    late = select(PatientNumber.pull_id).where(
        PatientNumber.hospital_id == hospital_id,
        PatientNumber.pull_id.is_not(None),
        PatientNumber.awaited_since < work.now - rules.PULL_LIFE,
    )
    found = work.session.scalars(late.order_by(PatientNumber.awaited_since).limit(_AT_NIGHT))
    for pull_id in sorted({one for one in found if one is not None}):  # locked in the order in which answers lock them
        again(work, pull_id)


def awaited_records(session: Session, person_id: UUID) -> list[AwaitedRecords]:
    """Hospitals that have not sent the person's records, or not all of them, the longest awaited first."""
    wanted = select(PatientNumber).where(PatientNumber.person_id == person_id, PatientNumber.pull_id.is_not(None))
    return [
        AwaitedRecords(row.hospital_id, row.awaited_since, row.more_follows)
        for row in session.scalars(wanted.order_by(PatientNumber.awaited_since))
        if row.awaited_since is not None
    ]


def awaited_counts(session: Session) -> dict[UUID, tuple[int, datetime]]:
    """How many patients wait for each hospital's records, and since when the first of them."""
    wanted = select(PatientNumber.hospital_id, func.count(), func.min(PatientNumber.awaited_since))
    found = session.execute(wanted.where(PatientNumber.pull_id.is_not(None)).group_by(PatientNumber.hospital_id))
    return {hospital_id: (number, since) for hospital_id, number, since in found if since is not None}


def _locked(session: Session, pull_ids: Sequence[UUID]) -> dict[UUID, list[PatientNumber]]:
    """The numbers that wait for these commands, by command."""
    asked = (PatientNumber.pull_id.in_(pull_ids), PatientNumber.pull_id.is_not(None))  # as the partial index says
    wanted = select(PatientNumber).where(*asked).order_by(PatientNumber.pull_id, PatientNumber.patient_no)
    fresh = wanted.with_for_update().execution_options(populate_existing=True)
    found: dict[UUID, list[PatientNumber]] = {}
    for row in session.scalars(fresh):
        if row.pull_id is not None:
            found.setdefault(row.pull_id, []).append(row)
    return found


def _nobody_waits(session: Session, pull_ids: Sequence[UUID], *, but: Sequence[PatientNumber]) -> None:
    """The waiting for these commands is over, except of a few rows."""
    spared = [(row.pull_id, row.patient_no) for row in but]
    if pull_ids:
        over = update(PatientNumber).where(PatientNumber.pull_id.in_(pull_ids))
        over = over.where(tuple_(PatientNumber.pull_id, PatientNumber.patient_no).not_in(spared))
        session.execute(over.values(_NOBODY_WAITS))
