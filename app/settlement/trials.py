"""The interface's line: asking for a trial, being admitted in order, and what the trial says."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
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
from app.record.queries import BillFacts
from app.registration import service as registration
from app.settlement import queries, rules
from app.settlement.contracts import Sides
from app.settlement.models import Settlement
from app.settlement.states import State, settlements

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
    if bill is None:
        raise NotFound
    person_id = identity.person_of_patient(work.session, bill.hospital_id, bill.patient_no)
    if person_id is None:
        raise NotFound
    identity.require_bound(work.session, account_id, person_id)
    if not registration.is_registered(work, bill.hospital_id, person_id):
        raise Conflict("not_registered", "建档还没有完成，完成后会通知您，届时再试算")
    require_unsettled(bill)
    interface_id = exchange.parties(work.session, "medical_insurance")[0].id
    line_no = next_no(work.session, f"trial:{interface_id}")
    live = queries.live_of_bill(work.session, bill_id)
    if live is not None and not _is_stale(work, live, bill):
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


def require_unsettled(bill: BillFacts) -> None:
    if bill.state != "unsettled":
        raise Conflict("bill_settled", "这张结算单已经结算")
    if bill.refusal is not None:
        raise Conflict("bill_refused", f"这张结算单暂不能结算：{bill.refusal}")


def _is_stale(work: Work, live: Settlement, bill: BillFacts) -> bool:
    """A trial that is too old, or of a bill that has changed since, makes room for a new one."""
    too_old = live.valid_until is not None and live.valid_until <= work.now
    if live.status != State.TRIALLED or not (too_old or live.total_fen != bill.total_fen):
        return False
    expire(work, live.id)
    return True


def _require_free(work: Work, interface_id: UUID) -> None:
    """The source's behaviour: whoever is limited has to come again."""
    budget = budget_of(work.session, interface_id)
    waiting = select(func.count()).where(
        Settlement.interface_id == interface_id, Settlement.status == State.TRIAL_WAITING
    )
    ahead = work.session.scalar(waiting) or 0
    if ahead < quota.free_now(work.session, budget):
        return
    expected = quota.expected_at(work.session, budget, ahead + 1, rules.ANSWER_S)
    wait_s = (
        (expected - quota.database_now(work.session)).total_seconds() if expected else budget.window.total_seconds()
    )
    raise Throttled("trial_limited", "当前试算人数较多，请稍后再试", retry_after_s=max(1, round(wait_s)))


def trial_answered(work: Work, answer: CommandAnswer) -> None:
    """A trial came back, or nobody knows whether it was made: then the same place in line gets a new slot.

    The slot of a request that certainly never left is free at once; that of one that may have left stays taken until
    it can last have arrived and a window has passed.
    """
    row = get(work, answer.subject)
    if answer.command_id != row.trial_command_id or row.status != State.TRIALLING:
        return
    budget = budget_of(work.session, row.interface_id)
    if answer.outcome == "done" or answer.outcome == "refused":
        arrived_by = rules.arrived_by(answer.answered_at, answer.body)
        quota.release(work.session, budget, row.trial_no, arrived_by)
        work.later(ADMIT, row.interface_id, run_at=arrived_by + budget.window - rules.LEAD)
    elif answer.code in rules.NOT_SENT:
        quota.give_back(work.session, budget, row.trial_no)
    if answer.outcome == "done":
        _trialled(work, row, answer)
    elif answer.outcome == "refused" and answer.code != rules.RATE:
        refuse(work, row, answer.code, answer.message)
    else:
        _wait_again(work, row, pause=answer.code in rules.NOT_SENT)


def _wait_again(work: Work, row: Settlement, *, pause: bool) -> None:
    """Back into the line at the same place. Where nothing could be sent, trying at once would be of no use."""
    row.tries += 1
    settlements.move(work, [row.id], "requeue", values={"trial_no": partner_number("tr")})
    work.later(ADMIT, row.interface_id, run_at=work.now + rules.retry_pause(row.tries) if pause else None)


def _trialled(work: Work, row: Settlement, answer: CommandAnswer) -> None:
    sides = Sides.read(answer.body)
    if sides is None or not rules.adds_up(row.total_fen, sides.fund_fen, sides.account_fen, sides.self_pay_fen):
        refuse(work, row, "does_not_add_up")
        return
    valid_until = work.now + rules.TRIAL_LIFE
    settlements.move(work, [row.id], "trial", values={"valid_until": valid_until})
    row.fund_fen, row.account_fen, row.self_pay_fen = sides.fund_fen, sides.account_fen, sides.self_pay_fen
    work.later("settlement.expire", row.id, run_at=valid_until)
    tell(work, row, "trial_done", {})


def refuse(work: Work, row: Settlement, code: str | None, message: str | None = None) -> None:
    """There is no trial of this bill: the patient is told to ask at the window."""
    refused = {"refused_code": code or "refused", "refused_message": message}
    event = "leave" if row.status == State.TRIAL_WAITING else "refuse"
    settlements.move(work, [row.id], event, values=refused)
    tell(work, row, "trial_refused", {})


def expire(work: Work, settlement_id: UUID) -> None:
    """A trial that was not used in time has to be made again."""
    settlements.move(work, [settlement_id], "expire", values={"refused_code": "trial_expired"}, lenient=True)


def tell(work: Work, row: Settlement, template: str, params: dict[str, str]) -> None:
    dedupe = f"{template}:{row.id}:{row.trial_no}"
    notification.notify(work, template, account_id=row.account_id, subject=row.id, params=params, dedupe=dedupe)


def get(work: Work, settlement_id: UUID | None) -> Settlement:
    """The row, locked: what two answers say of it at the same moment is heard one after the other."""
    row = work.session.get(Settlement, settlement_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row
