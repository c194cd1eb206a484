"""Promises of time: taken back, and the patient told, only when the interface has slowed or failed.

While it fails, free slots say nothing about a turn: whoever is sent to it comes back into the line. Then no promise
gets better. A slot that stays free while somebody waits says the same of those who admit.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Uuid, bindparam, func, update

from app.core import quota
from app.core.clock import SHANGHAI
from app.core.steady import database_now
from app.core.work import Work
from app.exchange import service as exchange
from app.notification import service as notification
from app.notification.service import Told
from app.settlement import queries, rules
from app.settlement.interfaces import budget_of, hospitals_of
from app.settlement.models import Settlement
from app.settlement.states import State

LOOK = "settlement.promises"
TOLD_AT_ONCE = 500


def look(work: Work) -> None:
    """Compare what everybody in line was promised with what can be expected now. Each worsening is told once."""
    left = TOLD_AT_ONCE
    for interface in exchange.parties(work.session, "medical_insurance"):
        for hospital_id in hospitals_of(work.session, interface.id):
            left -= _look_at_line(work, interface.id, hospital_id, left)
    if left == 0:
        work.later(LOOK, None)


def _look_at_line(work: Work, interface_id: UUID, hospital_id: UUID, most: int) -> int:
    """How many were told."""
    rows = queries.in_line(work.session, interface_id, hospital_id)
    if not rows:
        return 0
    turns, now = _turns(work, interface_id, hospital_id), database_now(work.session)
    better, worse, is_failing = {}, [], False
    for row in rows:
        at = next(turns, None) if row.status == State.TRIAL_WAITING else None
        is_failing = is_failing or row.tries > 0 or (at is not None and at <= now)
        if at is None:
            continue
        if row.promised_at is None or (at < row.promised_at - rules.SOONER and not is_failing):
            better[row.id] = at
        elif not rules.can_be_kept(row.promised_at, at, row.told_later, now):
            worse.append((row.id, at + rules.patience(row.told_later + 1)))
    _promise(work, better)
    for row_id, at in worse[:most]:
        _tell_later(work, row_id, at)
    return len(worse[:most])


def _turns(work: Work, interface_id: UUID, hospital_id: UUID) -> Iterator[datetime]:
    """When the first, the second … of a line can expect their turns with the hospital's share alone."""
    budget = budget_of(work.session, interface_id)
    answer_s = rules.turn_answer_s(quota.answer_s(work.session, budget))
    free = quota.expected_free(work.session, budget, answer_s, str(hospital_id))
    turn = budget.window + timedelta(seconds=answer_s)
    return (quota.nth_free(free, turn, place) for place in count(1)) if free else iter(())


def _promise(work: Work, at: dict[UUID, datetime]) -> None:
    """An earlier time is seen by whoever looks; nobody is told."""
    if not at:
        return
    ids, times = bindparam("ids", type_=ARRAY(Uuid)), bindparam("times", type_=ARRAY(DateTime(timezone=True)))
    new = func.unnest(ids, times).table_valued("id", "at", name="new").render_derived()
    promised = update(Settlement).where(Settlement.id == new.c.id).values(promised_at=new.c.at)
    statement = promised.execution_options(synchronize_session=False)
    work.session.execute(statement, {"ids": list(at), "times": list(at.values())})


def _tell_later(work: Work, row_id: UUID, at: datetime) -> None:
    row = work.session.get(Settlement, row_id, with_for_update=True, populate_existing=True)
    if row is None or row.status != State.TRIAL_WAITING:
        return
    row.promised_at, row.told_later = at, row.told_later + 1
    params = {"time": f"{at.astimezone(SHANGHAI):%H:%M}"}
    told = Told(row.account_id, row.id, f"trial_later:{row.id}:{row.told_later}", row.person_id)
    notification.notify(work, "trial_later", told, params)
