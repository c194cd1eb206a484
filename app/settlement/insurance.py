"""The insurance's half: 2207, at most once under a command, and what its answer proves.

Done is done. Where the request certainly never left, the same is asked again for a while. Everything else, a refusal
too, is a doubt: a refusal may be the answer to a second request, whose first was done. Then the interface is asked by
our number (querying.py) before anything is repeated or paid back.
"""

from __future__ import annotations

from uuid import UUID

from app.core.work import Work
from app.exchange.service import CommandAnswer
from app.settlement import messages, reversing, rules
from app.settlement.contracts import Settled
from app.settlement.ending import fail
from app.settlement.models import Settlement
from app.settlement.parts import get, is_reversing, move_part, require_sum
from app.settlement.states import Part, State, settlements
from app.settlement.telling import tell_hospital, tell_network
from app.settlement.trials import tell, tell_payer

DELAYED, QUERY = "settlement.delayed", "settlement.query"


def begin(work: Work, row: Settlement) -> None:
    """The patient has done everything; from now on it is the insurance's turn."""
    work.later(DELAYED, row.id, run_at=work.now + rules.DELAYED_AFTER)
    ask(work, row)


def ask(work: Work, row: Settlement) -> None:
    require_sum(row)
    move_part(work, row, "insurance_part", "ask")
    messages.ask_once(work, row, "settle", {
        "trial_no": row.trial_no, "bill_key": messages.bill_of(work, row).key, "total_fen": row.total_fen,
        "fund_fen": row.fund_fen, "account_fen": row.account_fen, "self_pay_fen": row.self_pay_fen,
    })  # fmt: skip


def answered(work: Work, answer: CommandAnswer) -> None:
    """2207 came back, or nobody knows what became of it."""
    row = get(work, answer.subject)
    if row.status != State.SETTLING or row.insurance_part != Part.PENDING:
        return
    settled = Settled.read(answer.body) if answer.outcome == "done" else None
    if settled is not None:
        take(work, row, settled)
    elif answer.outcome in ("failed", "unknown") and answer.code in rules.NOT_SENT and not row.doubts:
        _not_sent(work, row)
    else:
        _doubt(work, row, answer)


def _not_sent(work: Work, row: Settlement) -> None:
    """The interface has never heard of it."""
    move_part(work, row, "insurance_part", "refuse")
    if has_waited_long(work, row):
        fail(work, row, "no_answer")
        return
    row.tries += 1
    work.later("settlement.ask", row.id, run_at=work.now + rules.retry_pause(row.tries))


def _doubt(work: Work, row: Settlement, answer: CommandAnswer) -> None:
    row.doubts += 1
    move_part(work, row, "insurance_part", "lose")
    refused = answer.outcome == "refused"
    row.refused_code = (answer.code or "refused") if refused else None
    work.later(QUERY, row.id, run_at=work.now if refused else work.now + rules.INTERFACE_WORK)


def ask_again(work: Work, settlement_id: UUID) -> None:
    row = get(work, settlement_id)
    if row.status != State.SETTLING or row.insurance_part != Part.NONE or row.self_pay_part == Part.PENDING:
        return
    bill = messages.bill_of(work, row)
    if bill.state != "unsettled" or bill.refused_reason is not None or messages.is_changed(work, row, bill):
        fail(work, row, "bill_changed")
    else:
        ask(work, row)


def take(work: Work, row: Settlement, said: Settled) -> None:
    """It is settled. Other amounts than the patient agreed to are taken back (2208)."""
    move_part(work, row, "insurance_part", "do")
    row.setl_id, row.refused_code = said.setl_id, None
    if (said.fund_fen, said.account_fen, said.self_pay_fen) != (row.fund_fen, row.account_fen, row.self_pay_fen):
        reversing.reverse(work, row, "amounts_differ")
        return
    require_sum(row)
    settlements.move(work, [row.id], "settled")
    tell_hospital(work, row)
    tell_network(work, row)
    tell(work, row, "settled", {})
    if row.payment_order_id is not None:
        tell_payer(work, row)
    work.emit("settlement.settled", row.id)


def has_waited_long(work: Work, row: Settlement) -> bool:
    return rules.waited_long(row.paid_at or row.status_since, work.now)


def delayed(work: Work, settlement_id: UUID) -> None:
    """The insurance still owes an answer: the patient is told, once."""
    row = get(work, settlement_id)
    if row.status == State.SETTLING or is_reversing(row):
        tell(work, row, "settlement_delayed", {})
