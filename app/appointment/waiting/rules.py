from __future__ import annotations

from datetime import datetime, timedelta

from app.core.clock import SHANGHAI

# How long a place is held for whoever it is offered to; a slot that begins sooner is not offered any more.
OFFER_LIFE = timedelta(minutes=15)
AT_ONCE = 500
STOPPED, OVER, BOOKED, GIVEN_UP, LATE = "slot_stopped", "slot_over", "booked", "given_up", "not_accepted"
UNBOUND = "unbound"
# What the patient reads of an end.
REASONS = {
    STOPPED: "医生停诊，候补已取消",
    OVER: "就诊时间已近，候补已结束",
    BOOKED: "您已预约，候补已结束",
    GIVEN_UP: "您已退出候补",
    LATE: "未在规定时间内确认，名额已顺延",
    UNBOUND: "就诊人绑定已解除，候补已结束",
}
RESUMED = "医生停诊，您仍在候补中"
UNHAD = "医院没有空余名额，您仍在候补中"


def clock_time(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%m-%d %H:%M}"
