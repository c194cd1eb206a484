"""Payouts, each step in one transaction. Talks with WeChat Pay and the bank are in calls.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.claim import service as claims
from app.claim.service import Payable
from app.core.errors import Conflict, NotFound
from app.core.ids import partner_number
from app.core.work import Work
from app.notification import service as notification
from app.payout import ledger, queries, recovering, rules
from app.payout.models import Payout, PayoutApproval
from app.payout.states import State, payouts

SEND, LOOK = "payout.send", "payout.look"


@dataclass(frozen=True)
class Operator:
    """Who approves. `party_id` is the insurer this person works for; None is the platform's own staff."""

    id: UUID
    party_id: UUID | None


def create(work: Work, claim_id: UUID) -> UUID | None:
    """A payout for what is payable and neither paid nor on its way; None if nothing is left, or while another payout of
    the claim is on its way: what is left then follows it.

    Check fields are verified on the way; risk rules may hold it for two people. The claim is locked by `payable`, so
    what is on its way cannot change meanwhile.
    """
    payable = claims.payable(work, claim_id)
    if payable is None:
        return None
    bound_fen = queries.bound_fen(work.session, claim_id)
    if queries.is_open(work.session, claim_id):
        claims.paying(work, claim_id)
        return None
    if payable.ceiling_fen <= bound_fen:
        claims.all_paid(work, claim_id)
        return None
    row = _new(work, payable, payable.ceiling_fen - bound_fen, bound_fen)
    payouts.start(work, row, State.CREATED)
    work.session.flush()
    recovering.book_approved(work, row, payable.ceiling_fen)
    claims.paying(work, claim_id)
    if row.held_for:
        payouts.move(work, [row.id], "hold")
    else:
        _approve(work, row.id)
    return row.id


def _new(work: Work, payable: Payable, amount_fen: int, bound_fen: int) -> Payout:
    today = work.clock.today()
    mine = (Payout.account_id == payable.account_id, Payout.business_date == today)
    count = work.session.scalar(select(func.count()).where(*mine)) or 0
    before = queries.of_claim(work.session, payable.claim_id)
    risks = rules.risks(
        claim_fen=bound_fen + amount_fen,
        payouts_today=count,
        rejected_before=any(row.failed_code == "rejected" for row in before),
    )
    row = Payout(
        claim_id=payable.claim_id,
        claim_no=payable.claim_no,
        insurer_id=payable.insurer_id,
        account_id=payable.account_id,
        channel=payable.payee_kind,
        amount_fen=amount_fen,
        out_no=partner_number("tf"),
        business_date=today,
        product_name=payable.product_name,
        product_filing_no=payable.product_filing_no,
        held_for=risks,
        approvals_needed=rules.APPROVALS_WHEN_HELD if risks else 0,
    )
    work.seal(row, "payee_name_sealed", payable.payee_name)
    if payable.payee_account is not None:
        work.seal(row, "payee_account_sealed", payable.payee_account)
    return row


def approve(work: Work, operator: Operator, payout_id: UUID) -> Payout:
    """One person's approval; the second, by another login, lets the money go."""
    row = _held(work, operator, payout_id)
    new = insert(PayoutApproval).values(payout_id=payout_id, operator_id=operator.id).on_conflict_do_nothing()
    if work.session.scalar(new.returning(PayoutApproval.operator_id)) is None:
        raise Conflict("second_person_needed", "您已经审批过，需要另一位同事审批")
    work.audit("payout.approval", "payout", payout_id, operator=str(operator.id))
    if len(queries.approvals(work.session, payout_id)) >= row.approvals_needed:
        _approve(work, payout_id)
    return row


def _approve(work: Work, payout_id: UUID) -> None:
    payouts.move(work, [payout_id], "approve")
    work.later(SEND, payout_id)


def reject(work: Work, operator: Operator, payout_id: UUID, reason: str) -> Payout:
    """A person says no: nothing was sent, the claim waits for another way."""
    row = _held(work, operator, payout_id)
    payouts.move(work, [payout_id], "reject", values={"failed_code": "rejected"}, reason=reason)
    _ended_badly(work, row)
    return row


def _held(work: Work, operator: Operator, payout_id: UUID) -> Payout:
    """A payout that waits for people; an insurer's people see their own insurer's only."""
    row = get(work, payout_id, lock=True)
    if operator.party_id not in (None, row.insurer_id):
        raise NotFound
    if row.status != State.HELD:
        raise Conflict("not_held", "这笔付款不在待审批状态")
    return row


def may_send(work: Work, row: Payout) -> bool:
    """Whether an approved payout may go out now. One that is no longer covered, because the hospital has taken its bill
    back since, is stopped. The payout is locked; Tampered if its check field does not fit."""
    if row.status != State.APPROVED:
        return False
    row.require_check(work.privacy)
    if queries.bound_fen(work.session, row.claim_id) <= claims.ceiling_fen(work, row.claim_id):
        return True
    recovering.stop(work, row)
    return False


def begin_sending(work: Work, payout_id: UUID) -> None:
    """From here on it may have been sent: whoever finds it so asks for it before anything is sent again."""
    payouts.move(work, [payout_id], "send")


def said(work: Work, payout_id: UUID, event: str, facts: dict[str, Any]) -> None:
    """What the provider says, in an answer, a query or a message; late words change nothing.

    `facts`: package_info, provider_no, failed_code, each where known.
    """
    row = get(work, payout_id, lock=True)
    known = {name: facts[name] for name in ("package_info", "provider_no", "failed_code") if facts.get(name)}
    if not payouts.move(work, [row.id], event, values=known, lenient=True):
        return
    if event == "wait_for_user":
        _tell(work, row, "payout_confirm")
    elif event == "succeed":
        _succeeded(work, row)
    elif event in ("fail", "cancel"):
        _ended_badly(work, row)


def _ended_badly(work: Work, row: Payout) -> None:
    """No money moved and none will: the claim waits for another way, and everybody is told."""
    claims.unpaid(work, row.claim_id)
    recovering.resolve(work, row.claim_id, cause=row.id)
    _tell(work, row, "payout_failed")
    _report(work, row, "failed")


def _succeeded(work: Work, row: Payout) -> None:
    booked = ledger.book(work, "pay", row.id, party_id=row.insurer_id, amount_fen=row.amount_fen, channel=row.channel)
    if booked:
        claims.paid(work, row.claim_id, row.id, row.amount_fen)
        recovering.resolve(work, row.claim_id, cause=row.id)
        _report(work, row, "succeeded")


def returned(work: Work, payout_id: UUID, code: str) -> None:
    """The bank sent the money back (退票): the books say so, and the claim waits for another way."""
    row = get(work, payout_id, lock=True)
    if payouts.move(work, [row.id], "return", values={"failed_code": code}, lenient=True):
        ledger.book(work, "return", row.id, party_id=row.insurer_id, amount_fen=row.amount_fen, channel=row.channel)
        claims.returned(work, row.claim_id, row.id, row.amount_fen)
        recovering.came_back(work, row)
        _report(work, row, "returned")


def lost_sight(work: Work, payout_id: UUID, *, refused: str | None = None, pause_s: float = rules.QUARANTINE_S) -> None:
    """Sent, and no usable answer: look once the provider must show it, and do not send before.

    `refused`: the second try was turned down. That proves nothing about the first one, whose answer was lost.
    """
    values = {"failed_code": refused} if refused else {}
    if payouts.move(work, [payout_id], "lose_sight", values=values, lenient=True):
        look_later(work, payout_id, pause_s)


def quarantine_left_s(work: Work, row: Payout) -> float:
    """How long the provider may still take to show what was sent."""
    if row.status != State.UNKNOWN:
        return 0.0
    return max(0.0, rules.QUARANTINE_S - (work.now - row.status_since).total_seconds())


def keep_package(work: Work, payout_id: UUID, package_info: str | None) -> None:
    row = get(work, payout_id, lock=True)
    if row.status == State.WAITING_USER_CONFIRM and row.package_info is None:
        row.package_info = package_info


def not_there(work: Work, payout_id: UUID) -> bool:
    """The provider certainly has no such number, a quarantine after it was last sent. True: the same number again.

    Was the last try turned down, and still there is nothing, the payout is proved dead.
    """
    row = get(work, payout_id, lock=True)
    if row.failed_code is not None:
        said(work, payout_id, "fail", {})
        return False
    return bool(payouts.move(work, [payout_id], "send_again", lenient=True))


def look_later(work: Work, payout_id: UUID, seconds: float = rules.LOOK_PAUSE_S) -> None:
    work.later(LOOK, payout_id, run_at=work.now + rules.pause(seconds))


def change_to_bank(work: Work, account_id: UUID, payout_id: UUID, bank_account: str) -> UUID:
    """Another way to be paid, once this payout is proved dead."""
    row = get(work, payout_id)
    if row.account_id != account_id:
        raise NotFound
    if row.status not in (State.FAILED, State.CANCELLED, State.RETURNED):
        raise Conflict("payout_open", "上一笔付款还没有结束，暂不能更换收款方式")
    claims.change_payee_to_bank(work, account_id, row.claim_id, bank_account)
    work.session.flush()
    new = create(work, row.claim_id)
    if new is None:
        raise Conflict("nothing_to_pay", "没有待付的款项")
    return new


def _report(work: Work, row: Payout, status: str) -> None:
    args = {"payout_no": row.out_no, "amount_fen": row.amount_fen, "status": status, "at": work.now.isoformat()}
    claims.tell_insurer(work, row.claim_id, args)


def _tell(work: Work, row: Payout, template: str) -> None:
    """Of money into their own WeChat balance also whoever is not bound to the insured any more."""
    person_id = None if row.channel == "wechat" else claims.insured(work, row.claim_id)
    told = notification.Told(row.account_id, row.claim_id, f"{template}:{row.id}", person_id)
    notification.notify(work, template, told, {"no": row.claim_no})


def get(work: Work, payout_id: UUID, *, lock: bool = False) -> Payout:
    row = work.session.get(Payout, payout_id, with_for_update=lock or None, populate_existing=lock)
    if row is None:
        raise NotFound
    return row
