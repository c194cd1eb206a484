from __future__ import annotations

from datetime import timedelta

TRIAL_LIFE = timedelta(minutes=30)
PAYMENT_LIFE = timedelta(minutes=15)
# The agent must have sent a trial by then or answer that it did not; the interface may take as long again.
TRIAL_DEADLINE = timedelta(seconds=10)
INTERFACE_WORK = timedelta(seconds=10)
ANSWER_S = 0.5  # an interface's usual answer time, for promises before any was seen
TELL_PAUSE_MAX_S = 60
REFUSED = "医保试算未通过，请到窗口咨询"


def adds_up(total_fen: int, fund_fen: int, account_fen: int, self_pay_fen: int) -> bool:
    return min(fund_fen, account_fen, self_pay_fen) >= 0 and fund_fen + account_fen + self_pay_fen == total_fen


def retry_pause(tries: int) -> timedelta:
    return timedelta(seconds=min(2**tries, TELL_PAUSE_MAX_S))
