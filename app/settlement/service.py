"""The two halves of a settlement, and what both must end in. Nothing here calls out: what a partner does is a command.

The self-pay part is paid first and the insurance settles after it, so that an unpaid half never has to be taken back
from the insurance; what the insurance then refuses is refunded.
"""

from __future__ import annotations

from uuid import UUID

from app.core.errors import Conflict, NotFound
from app.core.work import Work
from app.exchange import service as exchange
from app.exchange.service import CommandAnswer
from app.payment import service as payment
from app.record import queries as record
from app.settlement import queries, rules
from app.settlement.models import Settlement
from app.settlement.states import Part, State, settlements
from app.settlement.trials import get, tell

LANE = "settlement"


def settle(work: Work, account_id: UUID, settlement_id: UUID) -> Settlement:
    """The patient agrees to the trial: the self-pay part is asked for, or the insurance at once where there is none."""
    row = queries.settlement(work.session, settlement_id)
    if row is None or row.account_id != account_id:
        raise NotFound
    if row.status == State.TRIALLED and row.valid_until is not None and row.valid_until <= work.now:
        raise Conflict("trial_expired", "试算结果已过期，请重新试算")
    settlements.move(work, [row.id], "settle")
    if row.self_pay_fen:
        row.self_pay_part = Part.PENDING
        row.payment_order_id = payment.order(
            work,
            hospital_id=row.hospital_id,
            account_id=row.account_id,
            purpose="settlement",
            subject=row.id,
            amount_fen=row.self_pay_fen,
            description="门诊自付费用",
            expires_at=work.now + rules.PAYMENT_LIFE,
        )
    else:
        _ask_insurance(work, row)
    return row


def self_paid(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if row.status == State.SETTLING and row.self_pay_part == Part.PENDING:
        row.self_pay_part, row.paid_at = Part.DONE, work.now
        _ask_insurance(work, row)
    elif row.status == State.FAILED and row.self_pay_part == Part.PENDING:
        row.self_pay_part = Part.DONE  # paid after all, when the settlement had been given up
        _refund(work, row)


def self_pay_closed(work: Work, settlement_id: UUID) -> None:
    """Nobody paid in time. Nothing was settled with the insurance yet, so there is nothing to take back."""
    row = get(work, settlement_id)
    if row.self_pay_part == Part.PENDING:
        row.self_pay_part = Part.NONE
        settlements.move(work, [row.id], "fail", values={"refused_code": "not_paid"}, lenient=True)


def self_pay_refunded(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    row.self_pay_part = Part.REVERSED
    tell(work, row, "refunded", {})


def _ask_insurance(work: Work, row: Settlement) -> None:
    row.insurance_part = Part.PENDING
    _command(work, row, "settle", {
        "trial_no": row.trial_no, "bill_key": _bill_key(work, row), "total_fen": row.total_fen,
        "fund_fen": row.fund_fen, "account_fen": row.account_fen, "self_pay_fen": row.self_pay_fen,
    })  # fmt: skip


def insurance_answered(work: Work, answer: CommandAnswer) -> None:
    """2207 came back. Unknown: it is asked for by our number before anything is repeated."""
    row = get(work, answer.subject)
    if row.status != State.SETTLING:
        return
    if answer.outcome == "done":
        _insurance_settled(work, row, answer)
    elif answer.outcome == "refused":
        row.insurance_part = Part.NONE
        _give_up(work, row, answer.code)
    else:
        row.insurance_part = Part.UNKNOWN
        work.later("settlement.query", row.id, run_at=work.now + rules.INTERFACE_WORK)


def query_insurance(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if row.status == State.SETTLING and row.insurance_part == Part.UNKNOWN:
        _command(work, row, "query_settlement", {})


def query_answered(work: Work, answer: CommandAnswer) -> None:
    row = get(work, answer.subject)
    if row.status != State.SETTLING or row.insurance_part != Part.UNKNOWN:
        return
    if answer.outcome != "done":
        work.later("settlement.query", row.id, run_at=work.now + rules.INTERFACE_WORK)
    elif answer.body.get("found") and answer.body.get("state") == "settled":
        _insurance_settled(work, row, answer)
    elif answer.body.get("found"):
        row.insurance_part = Part.REVERSED
        _give_up(work, row, "reversed")
    else:  # certainly not there: the same number again
        _ask_insurance(work, row)


def _insurance_settled(work: Work, row: Settlement, answer: CommandAnswer) -> None:
    row.setl_id = str(answer.body["setl_id"])
    row.insurance_part = Part.DONE
    said = tuple(int(answer.body[k]) for k in ("fund_fen", "account_fen", "self_pay_fen"))
    if said != (row.fund_fen, row.account_fen, row.self_pay_fen):
        # It settled something else than the patient agreed to: take it back (2208) and refund.
        _command(work, row, "reverse", {"setl_id": row.setl_id})
        return
    settlements.move(work, [row.id], "settled")
    _tell_hospital(work, row)
    _tell_network(work, row)
    tell(work, row, "settled", {})
    work.emit("settlement.settled", row.id)


def reverse_answered(work: Work, answer: CommandAnswer) -> None:
    row = get(work, answer.subject)
    if row.status != State.SETTLING:
        return
    if answer.outcome != "done":
        work.later("settlement.reverse", row.id, run_at=work.now + rules.retry_pause(1))
        return
    row.insurance_part = Part.REVERSED
    settlements.move(work, [row.id], "reverse")
    _refund(work, row)


def reverse_again(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if row.status == State.SETTLING and row.insurance_part == Part.DONE:
        _command(work, row, "reverse", {"setl_id": row.setl_id})


def _give_up(work: Work, row: Settlement, code: str | None) -> None:
    settlements.move(work, [row.id], "fail", values={"refused_code": code or "refused"})
    tell(work, row, "settlement_failed", {})
    _refund(work, row)


def _refund(work: Work, row: Settlement) -> None:
    if row.self_pay_part == Part.DONE and row.payment_order_id is not None and row.self_pay_fen:
        payment.refund(work, row.payment_order_id, row.self_pay_fen, "医保结算未成功，自付部分退回")


def _tell_hospital(work: Work, row: Settlement) -> None:
    _command(work, row, "settlement_notice", {
        "bill_key": _bill_key(work, row), "setl_id": row.setl_id,
        "fund_fen": row.fund_fen, "account_fen": row.account_fen, "self_pay_fen": row.self_pay_fen,
        "payment_no": payment.number(work.session, row.payment_order_id) if row.payment_order_id else None,
        "paid_at": (row.paid_at or work.now).isoformat(),
    }, to=row.hospital_id)  # fmt: skip


def _tell_network(work: Work, row: Settlement) -> None:
    if row.payment_order_id is None:
        row.network_told = True
        return
    _command(work, row, "sync_self_pay", {
        "setl_id": row.setl_id, "payment_no": payment.number(work.session, row.payment_order_id),
        "self_pay_fen": row.self_pay_fen, "paid_at": (row.paid_at or work.now).isoformat(),
    })  # fmt: skip


def told(work: Work, answer: CommandAnswer) -> None:
    """settlement_notice or sync_self_pay came back: synchronised when both are done, again until they are."""
    row = work.session.get(Settlement, answer.subject, with_for_update=True)
    if row is None or row.status != State.SETTLED:
        return
    hospital = answer.kind == "settlement_notice"
    if answer.outcome != "done":
        row.tries += 1
        again = work.now + rules.retry_pause(row.tries)
        work.later("settlement.tell", row.id, run_at=again, args={"hospital": hospital})
        return
    if hospital:
        row.hospital_told = True
    else:
        row.network_told = True
    if row.hospital_told and row.network_told:
        settlements.move(work, [row.id], "synchronise")


def tell_again(work: Work, settlement_id: UUID, *, hospital: bool) -> None:
    row = get(work, settlement_id)
    if row.status == State.SETTLED:
        (_tell_hospital if hospital else _tell_network)(work, row)


def _command(work: Work, row: Settlement, kind: str, body: dict[str, object], *, to: UUID | None = None) -> None:
    body = {"settlement_no": row.no, **body}
    exchange.command(work, to or row.interface_id, kind, body, lane=LANE, subject=row.id)


def _bill_key(work: Work, row: Settlement) -> str:
    bill = record.bill(work.session, row.bill_id)
    assert bill is not None
    return bill.key
