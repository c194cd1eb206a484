"""Whoever waits while the hospital goes over to another interface waits on there."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from app.core.sequence import next_no
from app.core.work import Work
from app.exchange import service as exchange
from app.settlement import admission, queries
from app.settlement.models import Settlement
from app.settlement.states import IN_LINE, State
from app.settlement.trials import line_of


def move_lines(work: Work) -> None:
    """The lines of hospitals that have gone over to another interface join the line there, in their order and behind
    those who wait there."""
    now_at = {hospital: interface.id for hospital, interface in exchange.interfaces(work.session).items()}
    for interface_id, hospital_id in queries.lines(work.session):
        new_id = now_at.get(hospital_id, interface_id)
        if new_id != interface_id:
            _move(work, hospital_id, interface_id, new_id)


def _move(work: Work, hospital_id: UUID, old_id: UUID, new_id: UUID) -> None:
    admission.lock(work, old_id)  # nobody is being admitted there
    rows = _waiting(work, hospital_id, old_id, new_id)
    first = next_no(work.session, line_of(new_id), len(rows))
    for line_no, row in enumerate(rows, first):
        row.interface_id, row.line_no = new_id, line_no
        work.audit("settlement.interface", "settlement", row.id, was=str(old_id))


def _waiting(work: Work, hospital_id: UUID, old_id: UUID, new_id: UUID) -> Sequence[Settlement]:
    """In the order of the line. Who has a place at the new interface already, by another hospital's bill, comes when
    that one has been tried: a person has one place there."""
    there = select(Settlement.person_id).where(Settlement.interface_id == new_id, Settlement.status.in_(IN_LINE))
    mine = (Settlement.interface_id == old_id, Settlement.hospital_id == hospital_id)
    waiting = select(Settlement).where(*mine, Settlement.status == State.TRIAL_WAITING)
    waiting = waiting.where(Settlement.person_id.not_in(there)).order_by(Settlement.line_no)
    return work.session.scalars(waiting.with_for_update(), execution_options={"populate_existing": True}).all()
