"""What makes a line move when nothing else would: a lost task, or a clock that was put back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from app.core import tasks
from app.core.work import Work
from app.exchange import service as exchange
from app.registration import rules
from app.registration.asking import POLL
from app.registration.entering import let_in
from app.registration.models import Registration
from app.registration.states import State

SWEEP_S = 15.0


def sweep(work: Work) -> None:
    """Let in whoever has arrived, end rests that lie further ahead than any rest can, and wake every line where
    somebody waits and nothing is due before the next sweep."""
    for hospital_id in sorted(hospital.id for hospital in exchange.parties(work.session, "hospital")):
        let_in(work, hospital_id)
    queued = (Registration.left_at.is_(None), Registration.status == State.QUEUED)
    moved_away = update(Registration).where(*queued, Registration.not_before > work.now + rules.LONGEST_REST)
    work.session.execute(moved_away.values(not_before=work.now).execution_options(synchronize_session=False))
    awake = tasks.subjects_due(work.session, POLL, timedelta(seconds=SWEEP_S))
    for hospital_id in work.session.scalars(select(Registration.hospital_id).where(*queued).distinct()):
        if hospital_id not in awake:
            work.later(POLL, hospital_id)
