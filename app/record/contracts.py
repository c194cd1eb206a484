"""What crosses the wire: rows in a record batch (from the agent), and views for the patient."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from app.core.moments import Moment, PlainDate
from app.core.paging import PageQuery, PageView
from app.core.strict_json import PlainZero, WrittenDecimal

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=120)]
LongText = Annotated[str, StringConstraints(max_length=50_000)]
AmountFen = Annotated[StrictInt, Field(ge=0, le=10**13)]
SignedFen = Annotated[StrictInt, Field(ge=-(10**13), le=10**13)]
Price = Annotated[Decimal, Field(max_digits=18, decimal_places=6), PlainZero, WrittenDecimal]
Quantity = Annotated[Decimal, Field(max_digits=18, decimal_places=4), PlainZero, WrittenDecimal]


class RowIn(BaseModel):
    """A row's data. What we do not know yet is ignored: a newer agent may send more."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class CodedIn(RowIn):
    code: Key
    code_system: Key
    code_edition: Key
    name: Text


class VisitIn(RowIn):
    patient_no: Key
    kind: Literal["outpatient", "inpatient"]
    campus: Text | None = None
    department_name: Text
    doctor_name: Text | None = None
    started_at: Moment
    ended_at: Moment | None = None
    booked_in_wechat: StrictBool = False
    appointment_no: Key | None = None


class DiagnosisIn(CodedIn):
    visit_key: Key
    main: StrictBool
    stage: Literal["outpatient", "admission", "discharge"]


class ProcedureIn(CodedIn):
    visit_key: Key
    at: Moment


class ReportIn(RowIn):
    visit_key: Key
    kind: Literal["lab", "imaging", "other"]
    title: Text
    summary: LongText
    at: Moment


class DocumentIn(RowIn):
    visit_key: Key
    kind: Literal["medical_record", "discharge_note"]
    title: Text
    text: LongText


class BillIn(RowIn):
    visit_key: Key
    patient_no: Key
    bill_no: Key
    total_fen: AmountFen
    fund_fen: AmountFen
    account_fen: AmountFen
    self_pay_fen: AmountFen
    status: Literal["unsettled", "settled", "refunded"]
    billed_on: PlainDate
    settled_at: Moment | None = None


class FeeLineIn(CodedIn):
    bill_key: Key
    line_no: Annotated[StrictInt, Field(ge=1, le=100_000)]
    category: Literal["drug", "treatment", "service", "material"]
    insurance_code: Key | None = None
    unit_price: Price
    quantity: Quantity
    amount_fen: SignedFen
    insurance_class: Literal["甲", "乙", "丙"] | None = None
    at: Moment


class EBillIn(RowIn):
    bill_key: Key
    code: Key
    number: Key
    check_code: Key
    issued_on: PlainDate
    status: Literal["issued", "reversed"]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class OfPerson(PageQuery):
    person_id: UUID


class AwaitedView(BaseModel):
    """A hospital that has not sent the person's records yet; with `more_follows` it has sent a part."""

    hospital_id: UUID
    since: datetime = Field(description="从何时起等待医院提供数据")
    more_follows: bool
    text: str = Field(description="给就诊人看的说明")


class RecordPage(PageView):
    awaited: list[AwaitedView] = Field(default_factory=list, description="正在等待其数据的医院；为空时数据已齐")


class FeeLineView(BaseModel):
    line_no: int
    category: str
    name: str
    unit_price: str
    quantity: str
    amount_fen: int
    insurance_class: str | None


class BillView(BaseModel):
    """`borne_fen` is what the patient bore; `refused` says in Chinese why a bill cannot be used."""

    id: UUID
    hospital_id: UUID
    bill_no: str
    visit_id: UUID
    department_name: str
    started_at: datetime
    billed_on: date
    total_fen: int
    fund_fen: int
    account_fen: int
    self_pay_fen: int
    borne_fen: int
    state: Literal["unsettled", "settled", "refunded"]
    refused: str | None
    e_bill_state: Literal["issued", "reversed"] | None


class BillDetail(BillView):
    lines: list[FeeLineView]


class BillPage(RecordPage):
    items: list[BillView]


class ReportView(BaseModel):
    id: UUID
    visit_id: UUID
    kind: str
    title: str
    at: datetime


class ReportDetail(ReportView):
    summary: str


class ReportPage(RecordPage):
    items: list[ReportView]


class VisitView(BaseModel):
    id: UUID
    hospital_id: UUID
    kind: str
    campus: str | None
    department_name: str
    doctor_name: str | None
    started_at: datetime
    ended_at: datetime | None


class VisitPage(RecordPage):
    items: list[VisitView]
