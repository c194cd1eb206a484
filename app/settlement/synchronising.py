"""What the hospital and the network answer: synchronised when both have heard, told again until they have."""

from __future__ import annotations

from uuid import UUID

from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.settlement import rules
from app.settlement.models import Settlement
from app.settlement.parts import get, is_reversing
from app.settlement.reversing import reverse
from app.settlement.states import Part, State, settlements
from app.settlement.telling import TO_HOSPITAL, tell_hospital, tell_network, tell_reversed


def told(work: Work, answer: CommandAnswer) -> None:
    row = get(work, answer.subject)
    if not _may_be_told(row):
        return
    hospital = answer.kind == TO_HOSPITAL
    if answer.outcome == "refused" and hospital:
        # It will not book it (it was settled at the counter meanwhile): both halves go back.
        reverse(work, row, answer.code or "hospital_refused")
        return
    if answer.outcome != "done":
        _later(work, row, "settlement.tell", hospital=hospital)
        return
    if hospital:
        row.hospital_told = True
    else:
        row.network_told = True
    if row.hospital_told and row.network_told:
        settlements.move(work, [row.id], "synchronise")


def tell_again(work: Work, settlement_id: UUID, *, hospital: bool) -> None:
    row = get(work, settlement_id)
    if _may_be_told(row):
        (tell_hospital if hospital else tell_network)(work, row)


def reversal_told(work: Work, answer: CommandAnswer) -> None:
    """The hospital has undone what it had booked, or had not booked it."""
    row = get(work, answer.subject)
    if row.status != State.REVERSED or row.reversal_told:
        return
    if answer.outcome == "done":
        row.hospital_told, row.reversal_told = False, True
    else:
        _later(work, row, "settlement.tell_reversed")


def tell_reversed_again(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if row.status == State.REVERSED and not row.reversal_told:
        tell_reversed(work, row, booked=True)


def _may_be_told(row: Settlement) -> bool:
    return row.status == State.SETTLED and row.insurance_part == Part.DONE and not is_reversing(row)


def _later(work: Work, row: Settlement, kind: str, **args: bool) -> None:
    row.tries += 1
    work.later(kind, row.id, run_at=work.now + rules.retry_pause(row.tries), args=args)
