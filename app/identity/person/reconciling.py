"""The two copies of who acts for whom, ours and the one on the hospital's machine, compared every night.

Ours is the copy that counts, but for one thing: what people of the hospital have revoked on their machine ends here, as
soon as the machine says so, and in the night at the latest.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer, OpenMessage
from app.identity.person import endings, patients, pulls
from app.identity.person.contracts import TieIn, TiesIn
from app.identity.person.models import Binding, TieComparison
from app.identity.person.states import BindingState


def ask_for_ties(work: Work) -> None:
    """Ask every hospital's machine for its list, to compare it with ours."""
    for hospital in exchange.parties(work.session, "hospital"):
        exchange.command(work, hospital.id, "list_ties", {}, lane=patients.LANE, subject=None)
        asked = {"asked_at": work.now, "failure": "unanswered"}
        row = insert(TieComparison).values(hospital_id=hospital.id, **asked)
        work.session.execute(row.on_conflict_do_update(index_elements=["hospital_id"], set_=asked))


def compare_ties(work: Work, answer: CommandAnswer) -> None:
    """End what the hospital has revoked, and mend the machine's list where it differs from ours otherwise. A list that
    could not be had is asked for again the next night."""
    if answer.outcome != "done":
        _note(work, answer.party_id, failure=answer.code or answer.outcome)
        return
    try:
        listed = TiesIn.model_validate(answer.body)
    except ValidationError:
        _note(work, answer.party_id, failure="list_unreadable")
        return
    _compare(work, answer.party_id, {one.pair for one in listed.ties}, {one.pair for one in listed.revoked})
    pulls.ask_late(work, answer.party_id)


def _compare(work: Work, hospital_id: UUID, theirs: set[tuple[str, str]], revoked: set[tuple[str, str]]) -> None:
    ours = patients.ties(work.session, work.privacy, hospital_id)
    revoked -= theirs
    for one in sorted(revoked):
        if one not in ours or not _end(work, ours[one]):
            patients.tell(work, hospital_id, "untie_account", one)  # it ended here before: the machine may forget it
    missing, left_over = ours.keys() - theirs - revoked, theirs - ours.keys()
    for one in sorted(missing):
        patients.tell(work, hospital_id, "tie_account", one)
    for one in sorted(left_over):
        patients.tell(work, hospital_id, "untie_account", one)
    counts = {"missing": len(missing), "left_over": len(left_over), "revoked": len(revoked)}
    work.audit("ties.compare", "party", hospital_id, **counts)
    sizes = {"ours": len(ours), "theirs": len(theirs)}
    _note(work, hospital_id, compared_at=work.now, failure=None, **sizes, **counts)


def hear_revoked(work: Work, message: OpenMessage) -> None:
    """`tie.revoked`: people of the hospital have revoked one tie. A binding that was made after the message had come
    rests on a new check by the hospital, and stays."""
    try:
        one = TieIn.model_validate(message.data)
    except ValidationError:
        exchange.refuse_message(work, message.id, "invalid", {})
        return
    binding_id = patients.binding_of_tie(work.session, work.privacy, message.party_id, one.pair)
    if binding_id is None or not _end(work, binding_id, heard_at=message.received_at):
        patients.tell(work, message.party_id, "untie_account", one.pair)


def _end(work: Work, binding_id: UUID, heard_at: datetime | None = None) -> bool:
    """False if the binding has ended meanwhile, or began after `heard_at`. The machine is told by the ending."""
    row = work.session.get(Binding, binding_id, with_for_update=True, populate_existing=True)
    if row is None or row.status != BindingState.LIVE or (heard_at is not None and row.status_since > heard_at):
        return False
    endings.end(work, row, endings.REVOKED_BY_HOSPITAL)
    return True


def _note(work: Work, hospital_id: UUID, **noted: object) -> None:
    work.session.execute(update(TieComparison).where(TieComparison.hospital_id == hospital_id).values(noted))


def comparisons(session: Session) -> dict[UUID, TieComparison]:
    """The last comparison with every hospital that was ever asked."""
    return {row.hospital_id: row for row in session.scalars(select(TieComparison))}
