from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from app.appointment.contracts import Booker, Key
from app.appointment.waiting.states import WaitingState
from app.core.moments import PlainDate
from app.core.paging import PageView


class Join(Booker):
    """Wait for one slot (`slot_id`), or for any slot of a doctor's day (`hospital`, `doctor`, `on`)."""

    slot_id: UUID | None = None
    hospital: Key | None = Field(None, description="医院代码，与 doctor、on 一起填写")
    doctor: Key | None = None
    on: PlainDate | None = None

    @model_validator(mode="after")
    def _one_wish(self) -> Join:
        of_day = (self.hospital, self.doctor, self.on)
        wanted = of_day if self.slot_id is None else ()
        if None in wanted or (self.slot_id is not None and any(of_day)):
            raise ValueError("请指定一个号源，或者医院、医生和日期")
        return self


class WaitingView(BaseModel):
    """`place` counts from 1 while somebody waits; who holds as many places as one may is `passed_over` and keeps it; an
    offer holds a place of `offered_slot_id` until `offer_until`; `reason` says in Chinese why it is over."""

    id: UUID
    hospital_id: UUID
    person_id: UUID
    slot_id: UUID | None
    doctor_code: str | None
    day: date | None
    self_pay: bool
    status: WaitingState
    status_since: datetime
    place: int | None
    passed_over: bool = Field(description="预约已达上限，有名额时先让给后面的人；取消一个预约即恢复")
    offered_slot_id: UUID | None
    offer_until: datetime | None
    appointment_id: UUID | None
    reason_code: str | None
    reason: str | None


class WaitingPage(PageView):
    items: list[WaitingView]
