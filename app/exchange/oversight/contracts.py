"""What crosses HTTP between operators and their view of the exchange."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field

from app.core.paging import PageQuery, PageView
from app.exchange.contracts import Code, CompletenessView, Cursor


class OfDay(BaseModel):
    business_date: date = Field(description="业务日期")
    party: Code | None = Field(None, description="机构编号；不填为全部医院")


class PartyCompleteness(CompletenessView):
    party: str
    name: str


class CompletenessList(BaseModel):
    items: list[PartyCompleteness]


class LateQuery(PageQuery):
    longer_than_s: int = Field(60, ge=0, le=30 * 24 * 3600, description="已等待的秒数")


class LateCommandView(BaseModel):
    id: UUID
    party: str
    kind: str
    lane: str
    status: str
    created_at: datetime
    deadline: datetime | None


class LateCommandPage(PageView):
    items: list[LateCommandView]


class RequestView(BaseModel):
    id: UUID
    request_no: str
    insurer: str
    hospital: str
    kind: str
    status: str
    created_at: datetime
    deadline: datetime


class RequestPage(PageView):
    items: list[RequestView]


class DeadTaskQuery(BaseModel):
    limit: int = Field(20, ge=1, le=100)
    before: int | None = Field(None, ge=1, description="上一页最后一条的编号（next_before）")
    kind: str | None = Field(None, max_length=64)


class DeadTaskView(BaseModel):
    """`cause` is the code of the last failure; it never holds personal data. `failed_at` is when that try was due."""

    id: int
    kind: str
    subject: UUID | None
    tries: int
    created_at: datetime
    failed_at: datetime
    cause: str | None


class DeadTaskPage(BaseModel):
    items: list[DeadTaskView]
    next_before: int | None


class Replayed(BaseModel):
    id: int


class PushView(BaseModel):
    """`waiting` changes stand behind `cursor` in the feed."""

    party: str
    cursor: int
    last_cursor: int
    waiting: int


class PushList(BaseModel):
    items: list[PushView]


class PushAgain(BaseModel):
    cursor: Cursor = Field(description="从这个位置之后重新推送")
