"""The two halves of a settlement move by a table of their own, and each move is audited."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from app.core.errors import LostRace, Tampered
from app.core.work import Work
from app.settlement import rules, trials
from app.settlement.models import Settlement
from app.settlement.states import PART_MOVES, Part, State

Half = Literal["insurance_part", "self_pay_part"]


def move_part(work: Work, row: Settlement, half: Half, event: str) -> None:
    """LostRace for what the table does not allow. The row is locked by the caller."""
    old = Part(getattr(row, half))
    new = PART_MOVES.get((old, event))
    if new is None:
        raise LostRace(f"settlement.{half}", event, [row.id])
    setattr(row, half, new)
    work.audit(f"settlement.{half}", "settlement", row.id, before=old.value, after=new.value)


def get(work: Work, settlement_id: UUID | None) -> Settlement:
    """The row, locked, and its check field verified: what follows moves money."""
    row = trials.locked(work, [settlement_id])[settlement_id]
    row.require_check(work.privacy)
    return row


def require_sum(row: Settlement) -> None:
    """Before money follows from them: the three parts are the total."""
    parts = (row.fund_fen, row.account_fen, row.self_pay_fen)
    if any(part is None for part in parts) or not rules.adds_up(row.total_fen, *(part or 0 for part in parts)):
        raise Tampered(f"settlement:{row.id}")


def is_reversing(row: Settlement) -> bool:
    """The insurance has settled, and that is being taken back."""
    open_to_it = row.status in (State.SETTLING, State.SETTLED)
    return open_to_it and row.insurance_part == Part.DONE and row.refused_code is not None


def is_unknown(row: Settlement) -> bool:
    """Nobody can say whether the insurance has settled."""
    return row.status == State.SETTLING and row.insurance_part == Part.UNKNOWN
