"""Admitting the first in line: a slot of the regulated quota, the move, and one command for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, bindparam, func, literal, select, update
from sqlalchemy.orm import Session

from app.core import quota, steady
from app.core.log import get_log
from app.core.quota import Budget
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import Asked
from app.identity import service as identity
from app.identity.service import PersonFacts
from app.record import queries as record
from app.record.queries import BillFacts
from app.settlement import rules
from app.settlement.interfaces import hospitals_of, shared_budget
from app.settlement.models import Settlement
from app.settlement.states import State, settlements
from app.settlement.trials import ADMIT, refuse

LANE = "trial"
WHY = "medical-insurance trial"
HOLD = rules.TRIAL_DEADLINE + rules.INTERFACE_WORK
log = get_log(__name__)
_Admitted = tuple[Settlement, PersonFacts]


@dataclass
class _Lines:
    """The oldest of each hospital's line, as many as there are free slots; `more` wait behind them. To the persons of
    `unbound` ones nobody is bound any more."""

    oldest: dict[UUID, deque[Settlement]]
    more: set[UUID]
    unbound: set[UUID]

    @property
    def waiting(self) -> set[UUID]:
        return {hospital for hospital, line in self.oldest.items() if line} | self.more

    def rows(self) -> list[Settlement]:
        return [row for line in self.oldest.values() for row in line]


def admit(work: Work, interface_id: UUID, *, at_once: int | None = None) -> float | None:
    """Admit the first of each line, in order, while there are free slots (at most `at_once`); how many seconds until
    the next one is free if somebody still waits, else None.

    1. The interface's lock: one worker admits at a time. A step of the database's clock is waited out.
    2. For the oldest whose bill is still open, and to whose person somebody is bound: a slot of the hospital's own
       share, or one that nobody waits for; and one `trial` command that is handed out once and only while it is fresh.
    3. Whoever is left when no slot is free was throttled.
    """
    lock(work, interface_id)
    budget = shared_budget(work.session, interface_id)
    quota.open_budget(work.session, budget)
    _wait_out_steps(work, interface_id, budget)
    deadline = steady.database_now(work.session) + rules.TRIAL_DEADLINE
    free = quota.free_now(work.session, budget)
    lines = _oldest(work.session, interface_id, free if at_once is None else min(free, at_once))
    bills = {bill.id: bill for bill in record.bills(work.session, [row.bill_id for row in lines.rows()])}
    admitted = _readable(work, budget, _take_slots(work, budget, lines, bills))
    if admitted:
        _send(work, interface_id, admitted, bills, deadline)
        settlements.move(work, [row.id for row, _ in admitted], "admit")
    in_line = _in_line(work.session, interface_id)
    if work.session.scalar(select(Settlement.id).where(*in_line).limit(1)) is None:
        return None
    free_in = quota.next_free(work.session, budget)[0] - steady.database_now(work.session)
    if free_in > timedelta(0):
        left = update(Settlement).where(*in_line, ~Settlement.throttled).values(throttled=True)
        work.session.execute(left.execution_options(synchronize_session=False))
    return max(0.0, free_in.total_seconds())


def _in_line(session: Session, interface_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """Whoever waits here, at a hospital that settles here: the line of one that has gone over to another interface goes
    there (moving.move_lines)."""
    here = Settlement.hospital_id.in_(hospitals_of(session, interface_id))
    return (Settlement.interface_id == interface_id, Settlement.status == State.TRIAL_WAITING, here)


def lock(work: Work, interface_id: UUID) -> None:
    """Whoever decides about slots waits here for whoever decides now."""
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{ADMIT}:{interface_id}", 0))))


def _wait_out_steps(work: Work, interface_id: UUID, budget: Budget) -> None:
    """After a step of the database's clock neither a slot is free too early nor a command fresh for too long."""
    step = steady.step(work.session, budget.name)
    if step:
        quota.wait_out(work.session, budget, step, HOLD)
        exchange.shift_deadlines(work.session, interface_id, LANE, step)
        log.warning("database_clock_stepped", interface=str(interface_id), step_s=step.total_seconds())


def _oldest(session: Session, interface_id: UUID, most: int) -> _Lines:
    """Up to `most` of each hospital's line, and which hospitals have more. The lines are read by index from their
    heads, however long they are."""
    hospitals = (
        func.unnest(bindparam("hospitals", type_=ARRAY(Uuid))).table_valued("id", name="hospital").render_derived()
    )
    in_line = (Settlement.interface_id == interface_id, Settlement.status == State.TRIAL_WAITING)
    head = (
        select(Settlement.id)
        .where(*in_line, Settlement.hospital_id == hospitals.c.id)
        .order_by(Settlement.line_no)
        .limit(most + 1)
        .lateral()
    )
    ids = select(head.c.id).select_from(hospitals.join(head, literal(True)))
    found = session.scalars(ids, {"hospitals": hospitals_of(session, interface_id)}).all()
    rows = select(Settlement, identity.is_acted_for(Settlement.person_id)).where(Settlement.id.in_(found))
    lines: dict[UUID, deque[Settlement]] = {}
    unbound: set[UUID] = set()
    for row, acted_for in session.execute(rows.order_by(Settlement.line_no)):
        lines.setdefault(row.hospital_id, deque()).append(row)
        if not acted_for:
            unbound.add(row.id)
    more = {hospital for hospital, line in lines.items() if len(line) > most}
    return _Lines({hospital: deque(islice(line, most)) for hospital, line in lines.items()}, more, unbound)


def _take_slots(work: Work, budget: Budget, lines: _Lines, bills: dict[UUID, BillFacts]) -> list[Settlement]:
    """Slots for the oldest, each line in its order. A slot of a hospital where somebody waits is lent to nobody; once
    nobody waits there any more, those who were left without may have it."""
    admitted: list[Settlement] = []
    without: set[UUID] = set()
    while heads := [line[0] for hospital, line in lines.oldest.items() if line and hospital not in without]:
        row = min(heads, key=lambda one: one.line_no)
        bill, line = bills[row.bill_id], lines.oldest[row.hospital_id]
        owner, kept = str(row.hospital_id), [str(one) for one in lines.waiting]
        if row.id in lines.unbound:
            refuse(work, line.popleft(), rules.LEFT)
        elif bill.state != "unsettled" or bill.refused_reason is not None:
            refuse(work, line.popleft(), "bill_changed")
        elif quota.take(work.session, budget, row.trial_no, HOLD, owner=owner, kept=kept) is None:
            without.add(row.hospital_id)
        else:
            row.total_fen = bill.total_fen
            admitted.append(line.popleft())
        if not line:
            without.clear()
    return admitted


def _readable(work: Work, budget: Budget, rows: Sequence[Settlement]) -> list[_Admitted]:
    """Who they are. Somebody who cannot be read is refused, and holds up nobody else."""
    people = identity.readable_facts_of(work, [row.person_id for row in rows], WHY) if rows else {}
    for row in rows:
        if row.person_id not in people:
            quota.give_back(work.session, budget, row.trial_no)
            refuse(work, row, "person_unreadable")
    return [(row, people[row.person_id]) for row in rows if row.person_id in people]


def _send(
    work: Work,
    interface_id: UUID,
    admitted: Sequence[_Admitted],
    bills: Mapping[UUID, BillFacts],
    deadline: datetime,
) -> None:
    mine = [bills[row.bill_id] for row, _ in admitted]
    diagnoses = _diagnoses(work, [bill.visit_id for bill in mine])
    lines = _lines(work, [bill.id for bill in mine])
    codes = {one: exchange.party(work.session, one).code for one in {row.hospital_id for row, _ in admitted}}
    asked = []
    for (row, person), bill in zip(admitted, mine, strict=True):
        body = {
            "trial_no": row.trial_no,
            "hospital_code": codes[row.hospital_id],
            **_person(person),
            "visit": {
                "visit_key": bill.visit_key,
                "kind": bill.visit_kind,
                "department_name": bill.department_name,
                "started_at": bill.started_at.isoformat(),
            },
            "diagnoses": diagnoses.get(bill.visit_id, []),
            "bill": {"bill_key": bill.key, "total_fen": bill.total_fen},
            "lines": lines.get(bill.id, []),
        }
        asked.append(Asked(row.id, body))
    commands = exchange.command_all(work, interface_id, "trial", asked, lane=LANE, **rules.once(deadline))
    contents = record.contents(work.session, [bill.id for bill in mine])
    for (row, _), command_id in zip(admitted, commands, strict=True):
        row.trial_command_id, row.bill_content = command_id, contents[row.bill_id]


def _person(person: PersonFacts) -> dict[str, Any]:
    return {
        "medical_card_no": person.medical_card_no,
        "document_type": person.document_type,
        "document_no": person.document_no,
        "name": person.name,
    }


def _diagnoses(work: Work, visit_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    names = ("code", "code_system", "code_edition", "name", "main")
    for one in record.diagnoses(work.session, visit_ids):
        found.setdefault(one.visit_id, []).append({name: getattr(one, name) for name in names})
    return found


def _lines(work: Work, bill_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    names = ("line_no", "category", "code", "name", "insurance_class", "amount_fen")
    for line in record.lines(work.session, bill_ids):
        exact = {"unit_price": str(line.unit_price), "quantity": str(line.quantity)}
        found.setdefault(line.bill_id, []).append({name: getattr(line, name) for name in names} | exact)
    return found
