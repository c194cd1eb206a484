"""Admitting the first in line: a slot of the regulated quota, the move, and one command for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from app.core import quota
from app.core.quota import Budget
from app.core.work import Work
from app.exchange import service as exchange
from app.identity import service as identity
from app.identity.service import PersonFacts
from app.record import queries as record
from app.record.queries import BillFacts
from app.settlement import rules
from app.settlement.models import Settlement
from app.settlement.states import State, settlements
from app.settlement.trials import ADMIT, budget_of, refuse

LANE = "trial"


def admit(work: Work, interface_id: UUID, clock_step: timedelta = timedelta(0)) -> float | None:
    """Admit the first in line, in order, while there are free slots; how many seconds until the next one is free if
    somebody still waits, else None.

    1. The lane's lock: one worker admits at a time.
    2. For each of the oldest whose bill is still open: a slot, and one `trial` command that is handed out once and only
       while it is fresh.
    3. Whoever is left was throttled.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{ADMIT}:{interface_id}", 0))))
    budget = budget_of(work.session, interface_id)
    quota.open_budget(work.session, budget)
    if clock_step:
        quota.wait_out(work.session, budget, clock_step)
    deadline = quota.database_now(work.session) + rules.TRIAL_DEADLINE
    in_line = (Settlement.interface_id == interface_id, Settlement.status == State.TRIAL_WAITING)
    oldest = work.session.scalars(select(Settlement).where(*in_line).order_by(Settlement.line_no).limit(budget.n)).all()
    bills = {bill.id: bill for bill in record.bills(work.session, [row.bill_id for row in oldest])}
    admitted = _take_slots(work, budget, oldest, bills)
    if admitted:
        settlements.move(work, [row.id for row in admitted], "admit")
        _send(work, admitted, bills, deadline)
    left = update(Settlement).where(*in_line, ~Settlement.throttled).values(throttled=True)
    work.session.execute(left.execution_options(synchronize_session=False))
    if work.session.scalar(select(Settlement.id).where(*in_line).limit(1)) is None:
        return None
    free_in = quota.next_free(work.session, budget)[0] - quota.database_now(work.session)
    return max(0.0, free_in.total_seconds())


def _take_slots(
    work: Work, budget: Budget, oldest: Sequence[Settlement], bills: dict[UUID, BillFacts]
) -> list[Settlement]:
    admitted = []
    for row in oldest:
        bill = bills[row.bill_id]
        if bill.state != "unsettled" or bill.refused_reason is not None:
            refuse(work, row, "bill_changed")
        elif quota.take(work.session, budget, row.trial_no, rules.TRIAL_DEADLINE + rules.INTERFACE_WORK) is None:
            break
        else:
            row.total_fen = bill.total_fen
            admitted.append(row)
    return admitted


def _send(work: Work, rows: Sequence[Settlement], bills: dict[UUID, BillFacts], deadline: datetime) -> None:
    people = identity.facts_of(work, [row.person_id for row in rows], "medical-insurance trial")
    diagnoses = _diagnoses(work, [bills[row.bill_id].visit_id for row in rows])
    lines = _lines(work, [row.bill_id for row in rows])
    # Asked here: a query between two commands would send each to the database by itself.
    codes = {one: exchange.party(work.session, one).code for one in {row.hospital_id for row in rows}}
    for row in rows:
        bill = bills[row.bill_id]
        body = {
            "trial_no": row.trial_no,
            "hospital_code": codes[row.hospital_id],
            **_person(people[row.person_id]),
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
        row.trial_command_id = exchange.command(
            work, row.interface_id, "trial", body, lane=LANE, subject=row.id, once=True, deadline=deadline
        )


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
