from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints, model_validator

from app.appointment.states import State
from app.core.moments import Moment, PlainDate
from app.core.paging import PageQuery, PageView
from app.payment.contracts import GivenBackView

Key = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RowIn(BaseModel):
    """A catalogue row's data as the agent sends it; what we do not know yet is ignored."""

    model_config = ConfigDict(extra="ignore")


class DepartmentIn(RowIn):
    code: Key
    name: Name


class DoctorIn(RowIn):
    code: Key
    name: Name
    title: Name | None = None
    department_code: Key


class SlotIn(RowIn):
    doctor_code: Key
    department_code: Key
    starts_at: Moment
    ends_at: Moment
    capacity: Annotated[StrictInt, Field(ge=0, le=10_000)]
    fee_fen: Annotated[StrictInt, Field(ge=0, le=10_000_000)]
    status: Literal["open", "stopped"]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> SlotIn:
        if self.ends_at <= self.starts_at:
            raise ValueError("结束时间不晚于开始时间")
        return self


class HospitalView(BaseModel):
    id: UUID
    code: str
    name: str


class HospitalPage(BaseModel):
    items: list[HospitalView]


class DepartmentView(BaseModel):
    code: str
    name: str


class DepartmentPage(BaseModel):
    items: list[DepartmentView]


class OfDepartment(BaseModel):
    department: Key | None = None


class DoctorView(BaseModel):
    code: str
    name: str
    title: str | None
    department_code: str


class DoctorPage(BaseModel):
    items: list[DoctorView]


class SlotQuery(OfDepartment, PageQuery):
    doctor: Key | None = None
    on: PlainDate | None = None


class SlotView(BaseModel):
    id: UUID
    department_code: str
    doctor_code: str
    starts_at: datetime
    ends_at: datetime
    fee_fen: int
    left: int
    stopped: bool


class SlotPage(PageView):
    items: list[SlotView]


class Booker(BaseModel):
    """Who wants a place, and with which medical-insurance card: the one shown at binding, or one shown now."""

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    medical_card_no: str | None = Field(None, max_length=40, description="医保卡号；绑定时已填写的可省略")
    self_pay: StrictBool = Field(False, description="不使用医保，自费就诊")


class Book(Booker):
    slot_id: UUID


class AppointmentView(GivenBackView):
    """`payment_id` names the payment order of the fee, also when the appointment is over; `refused` says in Chinese why
    it was refused, stopped by the clinic or given up unpaid; `nearby` are free slots instead, told with a single
    appointment."""

    id: UUID
    no: str
    hospital_id: UUID
    slot_id: UUID
    person_id: UUID
    status: State
    status_since: datetime
    starts_at: datetime
    fee_fen: int
    payment_id: UUID | None
    pay_by: datetime | None
    self_pay: bool
    cancel_until: datetime
    refused_code: str | None
    refused: str | None
    nearby: list[SlotView] = Field(default_factory=list)


class AppointmentPage(PageView):
    items: list[AppointmentView]
