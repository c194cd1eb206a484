from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StrictBool


class AskTrial(BaseModel):
    """`wait=false` asks once: if nobody can be admitted now, nothing is kept and the answer is 429."""

    model_config = ConfigDict(extra="forbid")

    bill_id: UUID
    wait: StrictBool = True


class Settle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    trial_id: UUID


class SettlementView(BaseModel):
    """A trial and the settlement that may follow have the same id. `place` (from 1) and `expected_at` while waiting;
    amounts once the trial is done; `payment_id` while the self-pay part is due; `refused` in Chinese."""

    id: UUID
    bill_id: UUID
    person_id: UUID
    status: str
    status_since: datetime
    place: int | None
    expected_at: datetime | None
    valid_until: datetime | None
    total_fen: int
    fund_fen: int | None
    account_fen: int | None
    self_pay_fen: int | None
    insurance_part: str
    self_pay_part: str
    payment_id: UUID | None
    refused: str | None
