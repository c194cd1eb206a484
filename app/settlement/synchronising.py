"""What the hospital and the network answer: synchronised when both have heard, told again until they have."""

from __future__ import annotations

from uuid import UUID

from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.settlement import rules
from app.settlement.service import get, hospital_refused
from app.settlement.states import Part, State, settlements
from app.settlement.telling import TO_HOSPITAL, tell_hospital, tell_network


def told(work: Work, answer: CommandAnswer) -> None:
    row = get(work, answer.subject)
    if row.status != State.SETTLED or row.insurance_part != Part.DONE:
        return
    hospital = answer.kind == TO_HOSPITAL
    if answer.outcome == "refused" and hospital:
        hospital_refused(work, row, answer.code)
        return
    if answer.outcome != "done":
        row.tries += 1
        again = work.now + rules.retry_pause(row.tries)
        work.later("settlement.tell", row.id, run_at=again, args={"hospital": hospital})
        return
    if hospital:
        row.hospital_told = True
    else:
        row.network_told = True
    if row.hospital_told and row.network_told:
        settlements.move(work, [row.id], "synchronise")


def tell_again(work: Work, settlement_id: UUID, *, hospital: bool) -> None:
    row = get(work, settlement_id)
    if row.status == State.SETTLED and row.insurance_part == Part.DONE:
        (tell_hospital if hospital else tell_network)(work, row)
