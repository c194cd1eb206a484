from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

PAYMENT_LIFE = timedelta(minutes=15)
NEARBY = 5  # how many free slots a refusal names
NEARBY_DAYS = 7
# A booked visit can be cancelled until so long before it begins; a hospital may set `cancel_before_min` in its config.
CANCEL_BEFORE_MIN = 60
REMIND_BEFORE = (timedelta(hours=24), timedelta(hours=2))
# After so long without any answer of the hospital the place is given up.
CONFIRM_PATIENCE = timedelta(minutes=10)
# A visit may be pushed late: so long after its slot nobody has missed it.
MISSED_AFTER = timedelta(hours=24)
MISSED_AT_ONCE = 500
SILENT, STOPPED = "hospital_silent", "slot_stopped"
# Why nobody has paid the fee, in at most 20 characters, for a notice.
UNPAID = {
    "not_paid": "未在规定时间内支付挂号费",
    "order_refused": "微信支付未能受理订单",
    "pay_disputed": "支付情况不符，请联系医院",
}
# What the end of an appointment means to the patient: the hospital's refusals, a stopped clinic, an unpaid fee.
REFUSALS = {
    "slot_full": "该号源已约满",
    STOPPED: "医生停诊，该号源已取消",
    "card_invalid": "医保卡号不正确，请核对后再约",
    "card_mismatch": "医保卡号与医院登记的不一致",
    SILENT: "医院暂时无法确认，请稍后再约",
    "not_paid": "没有在规定时间内支付挂号费，号源已放回",
    "order_refused": "微信支付未能受理挂号费订单，请稍后再约或到窗口挂号",
    "pay_disputed": "支付情况与应付金额不符，请联系就诊医院核实",
}
# With these the hospital says that it has no place left, whatever its catalogue said.
NO_PLACE = ("slot_full", "slot_stopped")
REFUSED = "医院未能确认该预约"


def arrivals(hospital_id: UUID) -> str:
    """The series that numbers a hospital's accepted bookings."""
    return f"arrivals:{hospital_id}"


def ask_pause(tries: int) -> timedelta:
    """How long to wait before the hospital is asked again: 1, 2, 4 … seconds, at most a minute."""
    return timedelta(seconds=min(2 ** max(tries - 1, 0), 60))


def cancel_until(starts_at: datetime, config: Mapping[str, Any]) -> datetime:
    """The last moment at which a booked visit may be given up, by the hospital's rule or ours."""
    minutes = config.get("cancel_before_min")
    known = isinstance(minutes, int) and not isinstance(minutes, bool) and 0 <= minutes <= 7 * 24 * 60
    return starts_at - timedelta(minutes=minutes if known and minutes is not None else CANCEL_BEFORE_MIN)


def reminders(starts_at: datetime, now: datetime) -> list[tuple[timedelta, datetime]]:
    """(how long before, when) of every reminder that still lies ahead."""
    return [(before, starts_at - before) for before in REMIND_BEFORE if starts_at - before > now]
