"""The two halves of a settlement move by a table of their own, and each move is audited."""

from __future__ import annotations

from typing import Literal

from app.core.errors import LostRace
from app.core.work import Work
from app.settlement.models import Settlement
from app.settlement.states import PART_MOVES, Part

Half = Literal["insurance_part", "self_pay_part"]


def move_part(work: Work, row: Settlement, half: Half, event: str) -> None:
    """LostRace for what the table does not allow. The row is locked by the caller."""
    old = Part(getattr(row, half))
    new = PART_MOVES.get((old, event))
    if new is None:
        raise LostRace(f"settlement.{half}", event, [row.id])
    setattr(row, half, new)
    work.audit(f"settlement.{half}", "settlement", row.id, before=old.value, after=new.value)
