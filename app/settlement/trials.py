"""What a trial's answer does to the slot, to the place in line, and to the settlement."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.core import quota
from app.core.errors import Conflict, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.notification import service as notification
from app.notification.service import Told
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


def trials_answered(work: Work, answers: Sequence[CommandAnswer]) -> None:
    """Trials came back, or nobody knows whether they were made: then the same place in line gets a new slot.

    The slot of a request that certainly never left is free at once; that of one that may have left stays taken until
    it can last have arrived and a window has passed.
    """
    rows = locked(work, {answer.subject for answer in answers})
    free_at: dict[UUID, list[datetime]] = {}
    trialled: list[tuple[Settlement, Sides]] = []
    for answer in answers:
        row = rows[answer.subject]
        if answer.command_id != row.trial_command_id or row.status != State.TRIALLING:
            continue
        budget = budget_of(work.session, row.interface_id)
        if answer.outcome in ("done", "refused"):
            arrived_by = rules.arrived_by(answer.answered_at, answer.body)
            quota.release(work.session, budget, row.trial_no, arrived_by)
            free_at.setdefault(row.interface_id, []).append(arrived_by + budget.window)
        elif answer.code in rules.NOT_SENT:
            quota.give_back(work.session, budget, row.trial_no)
        else:
            quota.lose(work.session, budget, row.trial_no)
        sides = _heard(work, row, answer)
        if sides is not None:
            trialled.append((row, sides))
    _trialled(work, trialled)
    for interface_id, moments in free_at.items():  # whoever admits then knows when the others are free
        work.later(ADMIT, interface_id, run_at=min(moments) - rules.LEAD)


def _heard(work: Work, row: Settlement, answer: CommandAnswer) -> Sides | None:
    """What each side would pay; None where there is no trial: the bill is refused, or has to wait again."""
    if answer.outcome == "done":
        sides = Sides.read(answer.body)
        if sides is not None and rules.adds_up(row.total_fen, sides.fund_fen, sides.account_fen, sides.self_pay_fen):
            return sides
        refuse(work, row, "does_not_add_up")
    elif answer.outcome == "refused" and answer.code != rules.RATE:
        refuse(work, row, answer.code, answer.message)
    else:
        _wait_again(work, row, pause=answer.code in rules.NOT_SENT)
    return None


def _wait_again(work: Work, row: Settlement, *, pause: bool) -> None:
    """Back into the line at the same place. Where nothing could be sent, trying at once would be of no use."""
    row.tries += 1
    settlements.move(work, [row.id], "requeue", values={"trial_no": partner_number("tr")})
    work.later(ADMIT, row.interface_id, run_at=work.now + rules.retry_pause(row.tries) if pause else None)


def _trialled(work: Work, trialled: Sequence[tuple[Settlement, Sides]]) -> None:
    told = [_told("trial_done", row) for row, _ in trialled]
    for row, sides in trialled:
        row.fund_fen, row.account_fen, row.self_pay_fen = sides.fund_fen, sides.account_fen, sides.self_pay_fen
    valid_until, ids = work.now + rules.TRIAL_LIFE, [one.subject for one in told]
    settlements.move(work, ids, "trial", values={"valid_until": valid_until})
    for settlement_id in ids:
        work.later("settlement.expire", settlement_id, run_at=valid_until)
    notification.notify_all(work, "trial_done", told, {})


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
    notification.notify(work, template, _told(template, row), params)


def tell_payer(work: Work, row: Settlement) -> None:
    notification.tell_payer(work, _told("payment_used", row), "自付部分")


def _told(template: str, row: Settlement) -> Told:
    return Told(row.account_id, row.id, f"{template}:{row.id}:{row.trial_no}", row.person_id)


def locked(work: Work, ids: Collection[UUID | None]) -> dict[UUID | None, Settlement]:
    """The rows, locked in the order of their ids: what two answers say of one at the same moment is heard one after
    the other."""
    wanted = select(Settlement).where(Settlement.id.in_(ids)).order_by(Settlement.id).with_for_update()
    rows = work.session.scalars(wanted, execution_options={"populate_existing": True})
    found: dict[UUID | None, Settlement] = {row.id: row for row in rows}
    if len(found) < len(set(ids)):
        raise NotFound
    return found


def line_of(interface_id: UUID) -> str:
    """The series of the places in an interface's line."""
    return f"trial:{interface_id}"
