"""When people have to look before money moves, and what providers' words mean. Amounts in fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

# From this on two people approve (anti-money-laundering); never split to stay under it.
LARGE_FROM_FEN = 10_000_00
MANY_A_DAY = 5
APPROVALS_WHEN_HELD = 2
QUARANTINE_S = 6.0  # how long a provider may take to show a request whose answer was lost
LOOK_PAUSE_S = 20.0
SLOW_LOOK_PAUSE_S = 300.0  # where a person has to act, and a message will tell

WECHAT_EVENTS: Mapping[str, str] = {
    "ACCEPTED": "accept",
    "PROCESSING": "accept",
    "WAIT_USER_CONFIRM": "wait_for_user",
    "TRANSFERING": "transfer",
    "CANCELING": "transfer",
    "SUCCESS": "succeed",
    "FAIL": "fail",
    "CANCELLED": "cancel",
}
BANK_EVENTS: Mapping[str, str] = {"accepted": "accept", "succeeded": "succeed", "failed": "fail"}
# The insurer's account is short: the same number goes through once it was topped up.
TOP_UP = ("NOT_ENOUGH",)
FAILURES = {
    "OVERDUE_CLOSE": "超过 24 小时没有确认收款，款项已退回保险公司",
    "NAME_NOT_CORRECT": "收款人姓名与微信实名不一致",
    "REAL_NAME_CHECK_FAIL": "微信未完成实名认证",
    "stopped": "医院已退费、红冲或更正结算单，这笔付款已停止",
    "rejected": "保险公司审核未通过，请联系客服或更换收款方式",
    "account_invalid": "银行卡号有误",
    "account_closed": "银行卡已注销",
    "name_mismatch": "银行卡户名与收款人姓名不一致",
}
FAILED = "付款没有成功，请更换收款方式"


def risks(*, claim_fen: int, payouts_today: int, rejected_before: bool) -> list[str]:
    """The rules that hold a payout; none means it goes out by itself. `claim_fen` is what the claim's payouts add up to
    with this one: a claim that is paid in parts is as large as in one."""
    found = []
    if claim_fen >= LARGE_FROM_FEN:
        found.append("large_amount")
    if payouts_today >= MANY_A_DAY:
        found.append("many_payouts")
    if rejected_before:
        found.append("rejected_before")
    return found


def dues(shares_fen: Sequence[int], *, over_fen: int, moving_fen: int) -> list[int | None]:
    """How much of each share must come back, in order, when `over_fen` more was paid than may be kept (less, if it is
    negative). None where the `moving_fen` that are still on their way decide it."""
    found: list[int | None] = []
    at_least, at_most = over_fen, over_fen + moving_fen
    for share in shares_fen:
        sure, possible = (min(max(0, fen), share) for fen in (at_least, at_most))
        found.append(sure if sure == possible else None)
        at_least, at_most = at_least - sure, at_most - possible
    return found


def pause(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
