"""Asking the interface by our number what it has: before anything that moves money is repeated or paid back.

A `final` query also closes the trial (2205: its fees are taken back), so that no request that is still under way can
settle it afterwards: then "not found" is a proof, and not before.
"""

from __future__ import annotations

from uuid import UUID

from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.settlement import insurance, messages, reversing, rules
from app.settlement.contracts import Settled
from app.settlement.ending import fail
from app.settlement.models import Settlement
from app.settlement.parts import get, is_reversing, is_unknown, move_part

QUERY = "settlement.query"


def query(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if is_reversing(row):
        _ask(work, row, final=False)
    elif is_unknown(row):
        _ask(work, row, final=_is_over(work, row))


def _ask(work: Work, row: Settlement, *, final: bool) -> None:
    messages.ask(work, row, "query_settlement", {"trial_no": row.trial_no, "final": final})


def answered(work: Work, answer: CommandAnswer) -> None:
    """What the interface knows under our number."""
    row = get(work, answer.subject)
    if not (is_reversing(row) or is_unknown(row)):
        return
    found, state = answer.body.get("found"), answer.body.get("state")
    settled = Settled.read(answer.body) if found is True and state in ("settled", "reversed") else None
    if answer.outcome != "done" or (settled is None and found is not False):
        row.tries += 1
        work.later(QUERY, row.id, run_at=work.now + rules.retry_pause(row.tries))
    elif is_reversing(row):
        reversing.learned(work, row, stands=settled is not None and state == "settled")
    elif settled is None:
        _not_found(work, row, final=answer.body.get("final") is True)
    elif state == "settled":
        insurance.take(work, row, settled)
    else:
        move_part(work, row, "insurance_part", "reverse")
        fail(work, row, "reversed")


def _not_found(work: Work, row: Settlement, *, final: bool) -> None:
    """Asked for again while it may be; given up only on a final answer."""
    if final:
        move_part(work, row, "insurance_part", "refuse")
        fail(work, row, row.refused_code or "no_answer")
    elif _is_over(work, row):
        row.tries += 1
        work.later(QUERY, row.id, run_at=work.now + rules.retry_pause(row.tries))
    else:
        insurance.ask(work, row)


def _is_over(work: Work, row: Settlement) -> bool:
    """Whether it is not asked for again: it was refused, or has changed, or took too long. `refused_code` says why."""
    if row.refused_code is None and messages.is_changed(work, row, messages.bill_of(work, row)):
        row.refused_code = "bill_changed"
    if row.refused_code is None and insurance.has_waited_long(work, row):
        row.refused_code = "no_answer"
    return row.refused_code is not None
