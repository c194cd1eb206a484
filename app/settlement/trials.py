"""The interface's line: asking for a trial, being admitted in order, and what the trial says."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core import quota
from app.core.errors import Conflict, NotFound, Throttled
from app.core.ids import partner_number
from app.core.quota import Budget
from app.core.sequence import next_no
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.identity import service as identity
from app.notification import service as notification
from app.record import queries as record
from app.registration import service as registration
from app.settlement import queries, rules
from app.settlement.models import Settlement
from app.settlement.states import State, settlements

LANE = "trial"
ADMIT = "settlement.admit"


def budget_of(session: Session, interface_id: UUID) -> Budget:
    """n requests per window, as the interface's owner has agreed them."""
    config = exchange.party(session, interface_id).config
    return Budget(f"trial:{interface_id}", int(config["n"]), timedelta(seconds=float(config["window_s"])))


def ask_trial(work: Work, account_id: UUID, bill_id: UUID, *, wait: bool) -> Settlement:
    """Enter the interface's line with a bill that is not settled yet. Asking again gives the same place.

    Conflict `not_registered` before 建档完成, `bill_settled`, `bill_refused`; Throttled when `wait` is false and nobody
    can be admitted now: then nothing is kept.
    """
    bill = record.bill(work.session, bill_id)
    person_id = bill and identity.person_of_patient(work.session, bill.hospital_id, bill.patient_no)
    if bill is None or person_id is None:
        raise NotFound
    identity.require_person(work.session, account_id, person_id)
    if not registration.is_registered(work, bill.hospital_id, person_id):
        raise Conflict("not_registered", "建档还没有完成，完成后会通知您，届时再试算")
    if bill.state != "unsettled":
        raise Conflict("bill_settled", "这张结算单已经结算")
    if bill.refused_reason is not None:
        raise Conflict("bill_refused", f"这张结算单暂不能结算：{bill.refused_text}")
    interface_id = exchange.parties(work.session, "medical_insurance")[0].id
    line_no = next_no(work.session, f"trial:{interface_id}")
    live = queries.live_of_bill(work.session, bill_id)
    if live is not None:
        return live
    if not wait:
        _require_free(work, interface_id)
    row = Settlement(
        no=partner_number("st"),
        interface_id=interface_id,
        line_no=line_no,
        hospital_id=bill.hospital_id,
        bill_id=bill_id,
        account_id=account_id,
        person_id=person_id,
        trial_no=partner_number("tr"),
        total_fen=bill.total_fen,
    )
    settlements.start(work, row, State.CREATED)
    settlements.move(work, [row.id], "queue")
    work.later(ADMIT, interface_id)
    return row


def _require_free(work: Work, interface_id: UUID) -> None:
    """The source's behaviour: whoever is limited has to come again."""
    waiting = select(Settlement.id).where(
        Settlement.interface_id == interface_id, Settlement.status == State.TRIAL_WAITING
    )
    soonest = quota.next_free(work.session, budget_of(work.session, interface_id))
    wait_s = (soonest[0] - work.now).total_seconds() if soonest else 0.0
    if wait_s > 0 or work.session.scalar(waiting.limit(1)) is not None:
        raise Throttled("trial_limited", "当前试算人数较多，请稍后再试", retry_after_s=max(1, round(wait_s)))


def admit(work: Work, interface_id: UUID) -> None:
    """Admit the first in line, in order, while there are free slots.

    1. The lane's lock: one worker admits at a time.
    2. For each of the oldest: a slot, the move, one `trial` command that is handed out once and only while it is fresh.
    3. Whoever is left was throttled; come again when the next slot is free.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{ADMIT}:{interface_id}", 0))))
    budget = budget_of(work.session, interface_id)
    quota.open_budget(work.session, budget)
    in_line = (Settlement.interface_id == interface_id, Settlement.status == State.TRIAL_WAITING)
    oldest = select(Settlement).where(*in_line).order_by(Settlement.line_no).limit(budget.n)
    for row in work.session.scalars(oldest).all():
        if quota.take(work.session, budget, row.id, rules.TRIAL_DEADLINE + rules.INTERFACE_WORK) is None:
            break
        settlements.move(work, [row.id], "admit")
        _send_trial(work, row)
    left = update(Settlement).where(*in_line, ~Settlement.throttled).values(throttled=True)
    work.session.execute(left.execution_options(synchronize_session=False))
    if work.session.scalar(select(Settlement.id).where(*in_line).limit(1)) is not None:
        work.later(ADMIT, interface_id, run_at=quota.next_free(work.session, budget)[0])


def _send_trial(work: Work, row: Settlement) -> None:
    bill = record.bill(work.session, row.bill_id)
    assert bill is not None
    visit = record.visit(work.session, bill.visit_id)
    assert visit is not None
    person = identity.facts(work, row.person_id, "medical-insurance trial")
    body = {
        "trial_no": row.trial_no,
        "hospital_code": exchange.party(work.session, row.hospital_id).code,
        "medical_card_no": person.medical_card_no,
        "document_type": person.document_type,
        "document_no": person.document_no,
        "name": person.name,
        "visit": {
            "visit_key": bill.visit_key,
            "kind": visit.kind,
            "department_name": bill.department_name,
            "started_at": bill.started_at.isoformat(),
        },
        "diagnoses": [
            {
                "code": d.code,
                "code_system": d.code_system,
                "code_edition": d.code_edition,
                "name": d.name,
                "main": d.main,
            }
            for d in record.diagnoses(work.session, [bill.visit_id])
        ],
        "bill": {"bill_key": bill.key, "total_fen": bill.total_fen},
        "lines": [
            {
                "line_no": line.line_no,
                "category": line.category,
                "code": line.code,
                "name": line.name,
                "insurance_class": line.insurance_class,
                "unit_price": str(line.unit_price),
                "quantity": str(line.quantity),
                "amount_fen": line.amount_fen,
            }
            for line in record.lines(work.session, [row.bill_id])
        ],
    }
    row.trial_command_id = exchange.command(
        work,
        row.interface_id,
        "trial",
        body,
        lane=LANE,
        subject=row.id,
        once=True,
        deadline=work.now + rules.TRIAL_DEADLINE,
    )


def trial_answered(work: Work, answer: CommandAnswer) -> None:
    """A trial came back, or nobody knows whether it was made: then the same place in line gets a new slot."""
    row = get(work, answer.subject)
    if answer.command_id != row.trial_command_id:
        return
    if answer.outcome == "done":
        _free_slot(work, row, answer)
        _trialled(work, row, answer)
    elif answer.outcome == "refused":
        _free_slot(work, row, answer)
        refused = {"refused_code": answer.code, "refused_message": answer.message}
        if settlements.move(work, [row.id], "refuse", values=refused, lenient=True):
            tell(work, row, "trial_refused", {})
    elif settlements.move(work, [row.id], "requeue", values={"trial_no": partner_number("tr")}, lenient=True):
        work.later(ADMIT, row.interface_id)


def _free_slot(work: Work, row: Settlement, answer: CommandAnswer) -> None:
    """The request had arrived by the time of the answer less the time that the interface itself says it took."""
    took_ms = max(0, int(answer.body.get("answered_ms", 0)) - int(answer.body.get("received_ms", 0)))
    arrived_by = answer.answered_at - timedelta(milliseconds=took_ms)
    quota.release(work.session, budget_of(work.session, row.interface_id), row.id, arrived_by)


def _trialled(work: Work, row: Settlement, answer: CommandAnswer) -> None:
    fund, account, self_pay = (int(answer.body[k]) for k in ("fund_fen", "account_fen", "self_pay_fen"))
    if not rules.adds_up(row.total_fen, fund, account, self_pay):
        if settlements.move(work, [row.id], "refuse", values={"refused_code": "does_not_add_up"}, lenient=True):
            tell(work, row, "trial_refused", {})
        return
    valid_until = work.now + rules.TRIAL_LIFE
    if settlements.move(work, [row.id], "trial", values={"valid_until": valid_until}, lenient=True):
        row.fund_fen, row.account_fen, row.self_pay_fen = fund, account, self_pay
        work.later("settlement.expire", row.id, run_at=valid_until)
        tell(work, row, "trial_done", {})


def expire(work: Work, settlement_id: UUID) -> None:
    """A trial that was not used in time has to be made again."""
    settlements.move(work, [settlement_id], "expire", values={"refused_code": "trial_expired"}, lenient=True)


def tell(work: Work, row: Settlement, template: str, params: dict[str, str]) -> None:
    dedupe = f"{template}:{row.id}:{row.trial_no}"
    notification.notify(work, template, account_id=row.account_id, subject=row.id, params=params, dedupe=dedupe)


def get(work: Work, settlement_id: UUID) -> Settlement:
    row = queries.settlement(work.session, settlement_id)
    if row is None:
        raise NotFound
    return row
