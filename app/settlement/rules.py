"""How long things are good for, and what an answer proves. Amounts in fen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

TRIAL_LIFE = timedelta(minutes=30)
PAYMENT_LIFE = timedelta(minutes=15)
# The agent must have sent a trial by then or answer that it did not; the interface may take as long again to answer.
TRIAL_DEADLINE = timedelta(seconds=10)
INTERFACE_WORK = timedelta(seconds=10)
# A slot that is free within this time is waited for by the worker that admits.
LEAD = timedelta(seconds=0.4)
# So many leave the line in one transaction: the first must not wait for a hundred others to be written.
ADMITTED_AT_ONCE = 20
# 2207 and 2208 are handed out once and sent before this is over, or never under this command.
COMMAND_LIFE = timedelta(seconds=60)
# A paid patient waits no longer for the insurance than this, once it is certain that it has settled nothing.
SETTLE_PATIENCE = timedelta(minutes=15)
# Whoever waits longer for the insurance is told.
DELAYED_AFTER = timedelta(minutes=2)
ANSWER_S = 0.5  # what promises allow at least for an interface's answer
TURN_SLACK_S = 0.1  # and for the admission of the next
# A promise becomes better by at least this. One that can be kept only so much later is taken back, and the patient
# told; each time twice as much is waited for, and the new one lies so far behind what can be expected.
SOONER, LATER = timedelta(seconds=15), timedelta(minutes=1)
LATER_DOUBLINGS = 6
SOONEST = timedelta(seconds=1)  # no turn is shown as nearer
OVERDUE = timedelta(seconds=5)  # a promise is past so long after its time: until then the turn comes at any moment
DELAYED = "医保系统响应较慢，比预计的时间晚；您的位置保留，轮到时自动试算"
TELL_PAUSE_MAX_S = 60
# Less time than this to pay in is not worth an order.
LEAST_TO_PAY = timedelta(minutes=1)
REFUSED = "医保试算未通过，请到窗口咨询"
NOT_SETTLED = "医保结算未成功，请到窗口办理"
LEFT = "left"
REFUSALS = {
    LEFT: "您已退出排队",
    "trial_expired": "试算结果已过期，请重新试算",
    "not_paid": "自付部分没有在规定时间内支付，请重新试算",
    "person_unreadable": "就诊人资料暂时无法读取，请联系医院窗口",
    "order_refused": "微信支付未能受理这笔订单，请稍后重新试算或到窗口缴费",
    "pay_disputed": "支付情况与应付金额不符，请联系就诊医院核实",
    "bill_changed": "这张结算单已有变化，请重新查看后再试算",
    "does_not_add_up": "医保返回的金额与结算单不符，请到窗口咨询",
    "amounts_differ": "医保实际结算的金额与试算不一致，已撤销结算，请重新试算",
    "no_answer": "医保系统长时间没有回应，没有结算，请稍后重新试算",
    "reversed": "这笔医保结算已在别处撤销，请到窗口咨询",
    "already_settled": "这张结算单已在窗口结算，线上结算已撤销",
    "PERSON": "参保信息不存在或不一致，请到窗口核对医保卡信息",
    "AMOUNT": "医保核定的金额已有变化，请重新试算",
    "SETTLED": "这张结算单已在别处结算，请到窗口查询",
}
# The same in at most 20 characters, for a notice.
UNPAID = {
    "not_paid": "自付部分未在规定时间内支付",
    "order_refused": "微信支付未能受理订单",
    "pay_disputed": "支付情况不符，请联系医院",
}
THEN_REFUND, THEN_AGAIN = "已付的自付部分将退回", "没有扣款，请查看原因"
# The interface's own word that its limit was reached: whoever heard it waits again.
RATE = "RATE"
# The command never reached the agent, or the agent never sent the request: the interface has seen nothing.
NOT_SENT = frozenset({"not_sent", "past_deadline", "not_handed_out", "interface_unreachable"})


class Once(TypedDict):
    """Terms of a command that is handed out once, and of the wait for its answer."""

    once: bool
    deadline: datetime
    answer_by: datetime


def once(deadline: datetime) -> Once:
    """Sent before `deadline`, or never under this command."""
    return Once(once=True, deadline=deadline, answer_by=deadline + INTERFACE_WORK)


def adds_up(total_fen: int, fund_fen: int, account_fen: int, self_pay_fen: int) -> bool:
    return min(fund_fen, account_fen, self_pay_fen) >= 0 and fund_fen + account_fen + self_pay_fen == total_fen


def arrived_by(answered_at: datetime, body: Mapping[str, Any]) -> datetime:
    """The latest moment at which an answered trial can have reached the interface: when its answer reached us, less the
    time that the interface itself says it took. A claim beyond the longest a trial may take proves nothing."""
    received_ms, answered_ms = body.get("received_ms"), body.get("answered_ms")
    if type(received_ms) is not int or type(answered_ms) is not int:
        return answered_at
    took = timedelta(milliseconds=min(max(0, answered_ms - received_ms), 10**9))
    return answered_at - took if took <= TRIAL_DEADLINE + INTERFACE_WORK else answered_at


def why(code: str, *, tried: bool) -> str:
    """Why a trial or, once it was `tried`, a settlement did not come about, in Chinese."""
    return REFUSALS.get(code, NOT_SETTLED if tried else REFUSED)


def is_too_old(valid_until: datetime | None, now: datetime) -> bool:
    """Whether there is no time left to pay what a trial has said."""
    return valid_until is not None and valid_until <= now + LEAST_TO_PAY


def turn_answer_s(observed_s: float | None) -> float:
    """What a promise counts for one answer, in seconds."""
    return max(ANSWER_S, (observed_s or 0.0) + TURN_SLACK_S)


def is_past(promised_at: datetime, now: datetime) -> bool:
    return now > promised_at + OVERDUE


def patience(told_later: int) -> timedelta:
    """How much later than promised a turn may be before the patient is told (again)."""
    doublings: int = 2 ** min(told_later, LATER_DOUBLINGS)
    return LATER * doublings


def can_be_kept(promised_at: datetime, expected_at: datetime, told_later: int, now: datetime) -> bool:
    return expected_at <= promised_at + patience(told_later) and not is_past(promised_at, now)


def shown(promised_at: datetime | None, now: datetime) -> datetime | None:
    """The time that the patient sees: what was promised, which changes only for the better or with a notice, and never
    a past one: None where it has passed."""
    if promised_at is None or is_past(promised_at, now):
        return None
    return max(now + SOONEST, promised_at)


def delayed(promised_at: datetime | None, told_later: int, now: datetime) -> str | None:
    """Why a turn comes later than was promised at first, None while it does not."""
    return DELAYED if told_later or (promised_at is not None and is_past(promised_at, now)) else None


def waited_long(since: datetime, now: datetime) -> bool:
    """Whether the insurance is asked no more, once it is certain that it has settled nothing."""
    return now > since + SETTLE_PATIENCE


def retry_pause(tries: int) -> timedelta:
    return timedelta(seconds=min(2 ** min(tries, 10), TELL_PAUSE_MAX_S))
