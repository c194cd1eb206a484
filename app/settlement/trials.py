"""What a trial's answer does to the slot, to the place in line, and to the settlement."""

from __future__ import annotations

from uuid import UUID

from app.core import quota
from app.core.errors import Conflict, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.notification import service as notification
from app.record.queries import BillFacts
from app.settlement import rules
from app.settlement.contracts import Sides
from app.settlement.interfaces import budget_of
from app.settlement.models import Settlement
from app.settlement.states import State, settlements

ADMIT = "settlement.admit"


def require_unsettled(bill: BillFacts) -> None:
    if bill.state != "unsettled":
        raise Conflict("bill_settled", "这张结算单已经结算")
    if bill.refusal is not None:
        raise Conflict("bill_refused", f"这张结算单暂不能结算：{bill.refusal}")


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
    else:
        quota.lose(work.session, budget, row.trial_no)
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
