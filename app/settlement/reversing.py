"""Taking back what the insurance has settled (2208), until it is certain that it does not stand any more."""

from __future__ import annotations

from uuid import UUID

from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.settlement import messages, rules
from app.settlement.ending import give_back
from app.settlement.models import Settlement
from app.settlement.parts import get, is_reversing, move_part
from app.settlement.states import State, settlements
from app.settlement.telling import tell_reversed


def reverse(work: Work, row: Settlement, code: str) -> None:
    row.refused_code = code
    work.later("settlement.delayed", row.id, run_at=work.now + rules.DELAYED_AFTER)
    _ask(work, row)


def _ask(work: Work, row: Settlement) -> None:
    messages.ask_once(work, row, "reverse", {"setl_id": row.setl_id})


def answered(work: Work, answer: CommandAnswer) -> None:
    """2208 came back. Whatever is not done is asked for by our number, unless it certainly never left."""
    row = get(work, answer.subject)
    if not is_reversing(row):
        return
    if answer.outcome == "done":
        _reversed(work, row)
        return
    row.tries += 1
    again = "settlement.reverse" if answer.code in rules.NOT_SENT else "settlement.query"
    work.later(again, row.id, run_at=work.now + max(rules.INTERFACE_WORK, rules.retry_pause(row.tries)))


def reverse_again(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if is_reversing(row):
        _ask(work, row)


def learned(work: Work, row: Settlement, *, stands: bool) -> None:
    """The interface has said what it has. What it does not know under our number does not stand either."""
    if stands:
        _ask(work, row)
    else:
        _reversed(work, row)


def _reversed(work: Work, row: Settlement) -> None:
    booked = row.status == State.SETTLED
    move_part(work, row, "insurance_part", "reverse")
    settlements.move(work, [row.id], "reverse")
    give_back(work, row)
    tell_reversed(work, row, booked=booked)
