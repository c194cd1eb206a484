from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.core.paging import PageQuery, PageView
from app.payout.states import State


class OfClaim(BaseModel):
    claim_id: UUID


class ConfirmView(BaseModel):
    """What opens WeChat's confirmation page (requestMerchantTransfer). `ok` there is no proof of payment."""

    mchId: str  # noqa: N815 - WeChat's own names
    appId: str  # noqa: N815
    package: str


class PayoutView(BaseModel):
    """`confirm` while the payee has to confirm in WeChat; `failed` says in Chinese why nothing came."""

    id: UUID
    claim_id: UUID
    status: State
    status_since: datetime
    channel: str
    amount_fen: int
    confirm: ConfirmView | None
    failed: str | None


class PayoutPage(BaseModel):
    items: list[PayoutView]


class ChangeToBank(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bank_account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12,19}$")]


class HeldQuery(PageQuery):
    status: Literal["held", "approved", "unknown", "waiting_user_confirm", "failed", "returned"] = "held"


class HeldView(BaseModel):
    """A payout as operators see it: no name, no account."""

    id: UUID
    claim_no: str
    insurer_id: UUID
    status: State
    status_since: datetime
    channel: str
    amount_fen: int
    held_for: list[str]
    approvals: int
    approvals_needed: int


class HeldPage(PageView):
    items: list[HeldView]


class Reject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
