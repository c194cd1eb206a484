"""The two halves of a settlement, and what both must end in. Nothing here calls out: what a partner does is a command.

The self-pay part is paid first and the insurance settles after it, so that an unpaid half never has to be taken back
from the insurance; what the insurance then refuses is refunded.
"""

from __future__ import annotations

from uuid import UUID

from app.core.errors import Conflict, NotFound, Tampered
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.identity import service as identity
from app.payment import service as payment
from app.record import queries as record
from app.record.queries import BillFacts
from app.settlement import rules, trials
from app.settlement.contracts import Settled
from app.settlement.models import Settlement
from app.settlement.parts import move_part
from app.settlement.states import Part, State, settlements
from app.settlement.telling import tell_hospital, tell_network
from app.settlement.trials import tell

LANE = "settlement"


def get(work: Work, settlement_id: UUID | None) -> Settlement:
    """The row, locked, and its check field verified: what follows moves money."""
    row = trials.get(work, settlement_id)
    row.require_check(work.privacy)
    return row


def settle(work: Work, account_id: UUID, settlement_id: UUID) -> Settlement:
    """The patient agrees to the trial: the self-pay part is asked for, or the insurance at once where there is none.
    It can be paid while the trial is valid, and no longer.

    Whoever is bound to the person may pay. Conflict `trial_expired`, `bill_settled`, `bill_refused`, `pay_elsewhere`.
    """
    row = get(work, settlement_id)
    identity.require_bound(work.session, account_id, row.person_id)
    _require_fresh(work, row)
    settlements.move(work, [row.id], "settle")
    row.account_id = account_id
    if row.self_pay_fen:
        move_part(work, row, "self_pay_part", "ask")
        row.payment_order_id = _order(work, row)
    else:
        _ask_insurance(work, row)
    return row


def _require_fresh(work: Work, row: Settlement) -> None:
    bill = _bill(work, row)
    too_old = rules.is_too_old(row.valid_until, work.now)
    if row.status == State.TRIALLED and (too_old or bill.total_fen != row.total_fen):
        raise Conflict("trial_expired", "试算结果已过期，请重新试算")
    if row.status == State.TRIALLED:
        trials.require_unsettled(bill)


def _order(work: Work, row: Settlement) -> UUID:
    app_id, _ = identity.payment_identity(work.session, row.account_id)
    if not identity.merchant_may_use(work.session, row.hospital_id, app_id):
        raise Conflict("pay_elsewhere", "请在就诊医院的公众号或小程序里支付")
    return payment.order(
        work,
        hospital_id=row.hospital_id,
        account_id=row.account_id,
        purpose="settlement",
        subject=row.id,
        amount_fen=row.self_pay_fen or 0,
        description="门诊自付费用",
        expires_at=min(work.now + rules.PAYMENT_LIFE, row.valid_until or work.now + rules.PAYMENT_LIFE),
    )


def self_paid(work: Work, settlement_id: UUID) -> None:
    """The money is there. A bill that was settled or changed while it was being paid is not taken to the insurance."""
    row = get(work, settlement_id)
    if row.self_pay_part != Part.PENDING:
        return
    move_part(work, row, "self_pay_part", "do")
    row.paid_at = work.now
    if row.status != State.SETTLING:
        _refund(work, row)
        return
    bill = _bill(work, row)
    if bill.state != "unsettled" or bill.refused_reason is not None or bill.total_fen != row.total_fen:
        _give_up(work, row, "bill_changed")
    else:
        _ask_insurance(work, row)


def self_pay_closed(work: Work, settlement_id: UUID) -> None:
    """Nobody paid in time. Nothing was settled with the insurance yet, so there is nothing to take back. (What is paid
    after all goes back by itself: the order is closed.)"""
    row = get(work, settlement_id)
    if row.status == State.SETTLING and row.self_pay_part == Part.PENDING:
        move_part(work, row, "self_pay_part", "refuse")
        settlements.move(work, [row.id], "fail", values={"refused_code": "not_paid"})


def self_pay_refunded(work: Work, settlement_id: UUID) -> None:
    """The money is back. (An order that was paid after it was closed is refunded too: that part was never done.)"""
    row = get(work, settlement_id)
    if row.self_pay_part == Part.DONE:
        move_part(work, row, "self_pay_part", "reverse")
    tell(work, row, "refunded", {})


def _ask_insurance(work: Work, row: Settlement) -> None:
    _require_sum(row)
    move_part(work, row, "insurance_part", "ask")
    _command(work, row, "settle", {
        "trial_no": row.trial_no, "bill_key": _bill(work, row).key, "total_fen": row.total_fen,
        "fund_fen": row.fund_fen, "account_fen": row.account_fen, "self_pay_fen": row.self_pay_fen,
    })  # fmt: skip


def insurance_answered(work: Work, answer: CommandAnswer) -> None:
    """2207 came back. Unknown: it is asked for by our number before anything is repeated."""
    row = get(work, answer.subject)
    if row.status != State.SETTLING or row.insurance_part != Part.PENDING:
        return
    settled = Settled.read(answer.body) if answer.outcome == "done" else None
    if settled is not None:
        _insurance_settled(work, row, settled)
    elif answer.outcome == "refused" and not row.doubts:
        move_part(work, row, "insurance_part", "refuse")
        _give_up(work, row, answer.code)
    else:
        # A refusal after a doubt says nothing of the first try: it may be why the second was refused.
        row.refused_code = (answer.code or "refused") if answer.outcome == "refused" else None
        row.doubts += 1
        move_part(work, row, "insurance_part", "lose")
        work.later("settlement.query", row.id, run_at=work.now + rules.INTERFACE_WORK)


def query_insurance(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if row.status == State.SETTLING and row.insurance_part == Part.UNKNOWN:
        _command(work, row, "query_settlement", {})


def query_answered(work: Work, answer: CommandAnswer) -> None:
    """What the interface knows under our number. Only what it certainly has not settled is asked for again."""
    row = get(work, answer.subject)
    if row.status != State.SETTLING or row.insurance_part != Part.UNKNOWN:
        return
    found, state = answer.body.get("found"), answer.body.get("state")
    settled = Settled.read(answer.body) if answer.outcome == "done" and found is True else None
    if settled is not None and state == "settled":
        _insurance_settled(work, row, settled)
    elif settled is not None and state == "reversed":
        move_part(work, row, "insurance_part", "reverse")
        _give_up(work, row, "reversed")
    elif answer.outcome == "done" and found is False and row.refused_code is not None:
        move_part(work, row, "insurance_part", "refuse")
        _give_up(work, row, row.refused_code)
    elif answer.outcome == "done" and found is False:
        _ask_insurance(work, row)
    else:
        work.later("settlement.query", row.id, run_at=work.now + rules.INTERFACE_WORK)


def _insurance_settled(work: Work, row: Settlement, said: Settled) -> None:
    move_part(work, row, "insurance_part", "do")
    row.setl_id, row.refused_code = said.setl_id, None
    if (said.fund_fen, said.account_fen, said.self_pay_fen) != (row.fund_fen, row.account_fen, row.self_pay_fen):
        # It settled something else than the patient agreed to: take it back (2208) and refund.
        _reverse(work, row)
        return
    _require_sum(row)
    settlements.move(work, [row.id], "settled")
    tell_hospital(work, row)
    tell_network(work, row)
    tell(work, row, "settled", {})
    work.emit("settlement.settled", row.id)


def hospital_refused(work: Work, row: Settlement, code: str | None) -> None:
    """The hospital will not book it (it was settled at the counter meanwhile): both halves go back."""
    row.refused_code = code or "hospital_refused"
    _reverse(work, row)


def _reverse(work: Work, row: Settlement) -> None:
    _command(work, row, "reverse", {"setl_id": row.setl_id})


def reverse_answered(work: Work, answer: CommandAnswer) -> None:
    row = get(work, answer.subject)
    if row.status not in (State.SETTLING, State.SETTLED) or row.insurance_part != Part.DONE:
        return
    if answer.outcome != "done":
        row.tries += 1
        work.later("settlement.reverse", row.id, run_at=work.now + rules.retry_pause(row.tries))
        return
    move_part(work, row, "insurance_part", "reverse")
    settlements.move(work, [row.id], "reverse")
    tell(work, row, "settlement_failed", {})
    _refund(work, row)


def reverse_again(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if row.status in (State.SETTLING, State.SETTLED) and row.insurance_part == Part.DONE:
        _reverse(work, row)


def _give_up(work: Work, row: Settlement, code: str | None) -> None:
    settlements.move(work, [row.id], "fail", values={"refused_code": code or "refused"})
    tell(work, row, "settlement_failed", {})
    _refund(work, row)


def _refund(work: Work, row: Settlement) -> None:
    if row.self_pay_part == Part.DONE and row.payment_order_id is not None and row.self_pay_fen:
        payment.refund(work, row.payment_order_id, row.self_pay_fen, "医保结算未成功，自付部分退回")


def _require_sum(row: Settlement) -> None:
    """Before money follows from them: the three parts are the total."""
    parts = (row.fund_fen, row.account_fen, row.self_pay_fen)
    if any(part is None for part in parts) or not rules.adds_up(row.total_fen, *(part or 0 for part in parts)):
        raise Tampered(f"settlement:{row.id}")


def _command(work: Work, row: Settlement, kind: str, body: dict[str, object]) -> None:
    exchange.command(work, row.interface_id, kind, {"settlement_no": row.no, **body}, lane=LANE, subject=row.id)


def _bill(work: Work, row: Settlement) -> BillFacts:
    bill = record.bill(work.session, row.bill_id)
    if bill is None:
        raise NotFound
    return bill
