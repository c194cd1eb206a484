"""The door for people where the interface gives no usable answer for ever: by evidence from its own counter, a
settlement stands there or it does not. Money follows from it, so a second person has to agree.

What stands and is to be taken back is not ruled to stand: people take it back at the interface's counter first.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.core.errors import Conflict, NotFound
from app.core.work import Work
from app.settlement import contracts as c
from app.settlement import insurance, reversing
from app.settlement.ending import fail
from app.settlement.models import Ruling, Settlement
from app.settlement.parts import get, is_reversing, is_unknown, move_part
from app.settlement.states import RulingState, rulings


@dataclass(frozen=True)
class Ruler:
    """Who rules. `party_id` is the hospital this person works for; None is the platform's own staff."""

    id: UUID
    party_id: UUID | None


def propose(work: Work, ruler: Ruler, settlement_id: UUID, found: c.Rule) -> Ruling:
    """NotFound for another hospital's; Conflict `settlement_not_stuck`, `reversal_owed`, `ruling_open`."""
    row = _stuck(work, ruler, settlement_id)
    if is_reversing(row) and found.outcome == "settled":
        raise Conflict("reversal_owed", "这笔结算应当撤销，请先在医保经办窗口撤销，再登记为未结算")
    if _open(work, row) is not None:
        raise Conflict("ruling_open", "这笔结算已有待确认的处理")
    ruling = Ruling(settlement_id=row.id, proposed_by=ruler.id, **found.model_dump())
    rulings.start(work, ruling, RulingState.PROPOSED)
    return ruling


def confirm(work: Work, ruler: Ruler, settlement_id: UUID) -> Ruling:
    """The second person agrees: what the interface would have said is taken as said. Conflict `settlement_not_stuck` if
    it has said something meanwhile, `second_person_needed`."""
    row = _stuck(work, ruler, settlement_id)
    ruling = _require_open(work, row)
    if ruling.proposed_by == ruler.id:
        raise Conflict("second_person_needed", "涉及金额的处理需要另一位同事确认")
    rulings.move(work, [ruling.id], "confirm", values={"decided_by": ruler.id})
    _follow(work, row, ruling)
    return ruling


def decline(work: Work, ruler: Ruler, settlement_id: UUID) -> Ruling:
    """It is not so, or is not needed any more."""
    ruling = _require_open(work, _of(work, ruler, settlement_id))
    rulings.move(work, [ruling.id], "decline", values={"decided_by": ruler.id})
    return ruling


def _follow(work: Work, row: Settlement, ruling: Ruling) -> None:
    if is_reversing(row):
        reversing.learned(work, row, stands=False)
    elif ruling.outcome == "settled":
        amounts = {name: getattr(row, name) for name in ("fund_fen", "account_fen", "self_pay_fen")}
        insurance.take(work, row, c.Settled(setl_id=ruling.setl_id or "", **amounts))
    else:
        move_part(work, row, "insurance_part", "refuse")
        fail(work, row, row.refused_code or "no_answer")


def _stuck(work: Work, ruler: Ruler, settlement_id: UUID) -> Settlement:
    row = _of(work, ruler, settlement_id)
    if not (is_reversing(row) or is_unknown(row)) or not insurance.has_waited_long(work, row):
        raise Conflict("settlement_not_stuck", "这笔结算不需要人工处理")
    return row


def _of(work: Work, ruler: Ruler, settlement_id: UUID) -> Settlement:
    row = get(work, settlement_id)
    if ruler.party_id not in (None, row.hospital_id):
        raise NotFound
    return row


def _open(work: Work, row: Settlement) -> Ruling | None:
    mine = (Ruling.settlement_id == row.id, Ruling.status == RulingState.PROPOSED)
    return work.session.scalar(select(Ruling).where(*mine))


def _require_open(work: Work, row: Settlement) -> Ruling:
    ruling = _open(work, row)
    if ruling is None:
        raise Conflict("no_ruling", "没有待确认的处理")
    return ruling
