"""The patient's half: agreeing to a trial and paying the self-pay part. Nothing here calls out.

The self-pay part is paid first and the insurance settles after it, so that an unpaid half never has to be taken back
from the insurance; what the insurance then refuses is refunded.
"""

from __future__ import annotations

from uuid import UUID

from app.core.errors import Conflict
from app.core.work import Work
from app.identity import service as identity
from app.payment import service as payment
from app.settlement import insurance, messages, rules, trials
from app.settlement.ending import fail, give_back
from app.settlement.models import Settlement
from app.settlement.parts import get, move_part
from app.settlement.states import Part, State, settlements
from app.settlement.trials import tell


def settle(work: Work, account_id: UUID, settlement_id: UUID) -> Settlement:
    """The patient agrees to the trial: the self-pay part is asked for, or the insurance at once where there is none.
    It can be paid while the trial is valid, and no longer.

    Whoever is bound to the person may pay. Conflict `trial_expired`, `bill_changed`, `bill_settled`, `bill_refused`,
    `pay_elsewhere`.
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
        insurance.begin(work, row)
    return row


def _require_fresh(work: Work, row: Settlement) -> None:
    """What is paid and settled was tried with the same lines."""
    if row.status != State.TRIALLED:
        return
    bill = messages.bill_of(work, row)
    if rules.is_too_old(row.valid_until, work.now):
        raise Conflict("trial_expired", rules.REFUSALS["trial_expired"])
    trials.require_unsettled(bill)
    if messages.is_changed(work, row, bill):
        raise Conflict("bill_changed", rules.REFUSALS["bill_changed"])


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
        give_back(work, row)
        return
    bill = messages.bill_of(work, row)
    if bill.state != "unsettled" or bill.refused_reason is not None or messages.is_changed(work, row, bill):
        fail(work, row, "bill_changed")
    else:
        insurance.begin(work, row)


def self_pay_closed(work: Work, settlement_id: UUID) -> None:
    """Nobody has paid, and nobody can any more. Nothing was settled with the insurance yet, so there is nothing to take
    back. (What is paid after all goes back by itself: the order is closed.)"""
    row = get(work, settlement_id)
    if row.status != State.SETTLING or row.self_pay_part != Part.PENDING or row.payment_order_id is None:
        return
    code = payment.why_closed(work.session, row.payment_order_id)
    move_part(work, row, "self_pay_part", "refuse")
    settlements.move(work, [row.id], "fail", values={"refused_code": code})
    tell(work, row, "settlement_unpaid", {"reason": rules.UNPAID[code]})


def self_pay_refunded(work: Work, settlement_id: UUID) -> None:
    """The money is back. (An order that was paid after it was closed is refunded too: that part was never done.)"""
    row = get(work, settlement_id)
    if row.self_pay_part == Part.DONE:
        move_part(work, row, "self_pay_part", "reverse")
    tell(work, row, "refunded", {"what": "自付部分"})


def self_pay_not_refunded(work: Work, settlement_id: UUID) -> None:
    """WeChat Pay cannot bring the money back: a person has to help, and the patient is told whom to ask."""
    tell(work, get(work, settlement_id), "refund_failed", {})
