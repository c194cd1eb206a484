from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.core.moments import PlainDate
from app.core.paging import PageQuery, PageView

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]
MOST_AT_ONCE = 100
DEFAULT_WAIT_S, LONGEST_WAIT_S = 1200, 7200


class StartRun(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["parties", "funds"] = Field("parties", description="三方对账，或与微信支付、银行的资金对账")
    business_date: PlainDate
    hospital: str | None = Field(None, max_length=64, description="只对这家医院的行（机构代码），仅三方对账")
    wait_s: int = Field(DEFAULT_WAIT_S, ge=1, le=LONGEST_WAIT_S, description="最多等待各方账目多少秒")


class TotalView(BaseModel):
    count: int
    amount_fen: int
    success_count: int
    success_amount_fen: int
    failure_count: int
    failure_amount_fen: int


class StatementView(BaseModel):
    """三个范围的总计，七个集合（医院、平台、保险公司是否有该行）"""

    hospital: str | None
    insurer: str | None
    sets: dict[str, int]
    amount_differs: int
    status_differs: int
    totals: dict[str, TotalView]


class PartyLedgerView(BaseModel):
    code: str
    name: str
    role: str
    status: str
    row_count: int | None
    readable_fen: int | None
    bad_count: int | None
    bad_at_source: int
    blocked_code: str | None
    blocked_reason: str | None


class DifferenceView(BaseModel):
    """`set`: presence at hospital, platform, insurer, such as "110". `responsible`: who has to take the suggested step.
    `bank_*` is what the bill says, `ledger_fen` what our ledger of accounts says."""

    id: UUID
    business_date: date
    kind: str
    key: str
    clearing_no: str | None
    set: str | None
    role: str | None
    line: int | None
    hospital: str | None
    insurer: str | None
    hospital_fen: int | None
    hospital_status: str | None
    platform_fen: int | None
    platform_status: str | None
    insurer_fen: int | None
    insurer_status: str | None
    bank_fen: int | None
    bank_status: str | None
    ledger_fen: int | None
    cause: str
    cause_text: str
    suggested_step: str
    responsible: str
    status: str
    status_since: datetime
    age_days: int
    suspended_until: date | None
    matched_on: date | None
    owner_id: UUID | None
    reason: str | None
    note: str | None


class HistoryItem(BaseModel):
    at: datetime
    action: str
    from_status: str | None
    to_status: str | None
    actor_kind: str
    actor_id: str


class DifferenceDetail(DifferenceView):
    history: list[HistoryItem]


class DifferencePage(PageView):
    items: list[DifferenceView]


class RunView(BaseModel):
    """一次对账。`counts`: per role rows = distinct + duplicate_rows + bad_rows; `checks`: integrity of the night."""

    id: UUID
    kind: str
    business_date: date
    attempt: int
    hospital: str | None
    status: str
    status_since: datetime
    started_at: datetime
    compared_at: datetime | None
    sets: dict[str, int]
    amount_differs: int
    status_differs: int
    totals: dict[str, TotalView]
    groups: list[StatementView]
    parties: list[PartyLedgerView]
    counts: dict[str, dict[str, int]]
    checks: dict[str, object]
    differences: list[DifferenceView]
    differences_total: int


class RunItem(BaseModel):
    id: UUID
    kind: str
    business_date: date
    attempt: int
    hospital: str | None
    status: str
    status_since: datetime
    started_at: datetime


class RunPage(PageView):
    items: list[RunItem]


class RunQuery(PageQuery):
    kind: Literal["parties", "funds"] | None = None
    business_date: PlainDate | None = None


class DifferenceFilter(BaseModel):
    business_date: PlainDate | None = None
    run_id: UUID | None = Field(None, description="只看这次对账见到的")
    status: str | None = Field(None, max_length=20)
    kind: str | None = Field(None, max_length=20)
    clearing_no: str | None = Field(None, max_length=19)
    hospital: str | None = Field(None, max_length=64)
    insurer: str | None = Field(None, max_length=64)


class DifferenceQuery(PageQuery, DifferenceFilter):
    pass


class ExportQuery(DifferenceFilter):
    format: Literal["csv", "xlsx"] = "xlsx"


class Resolve(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class ResolveMany(Resolve):
    ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)
