from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool

from app.claim.contracts.fields import Key
from app.claim.contracts.people import Input


class AskPolicies(Input):
    """`consent` must be true: name, document and birth date go to this insurer, and nothing else."""

    person_id: UUID
    insurer: Key
    consent: StrictBool


class PolicyView(BaseModel):
    """As the insurer last described it, at `as_of`. What its interface does not tell is null."""

    policy_no: str
    product_name: str
    valid_from: date
    valid_to: date
    deductible_left_fen: int | None
    ratio: str | None
    ceiling_left_fen: int
    as_of: datetime


class PoliciesView(BaseModel):
    """What one insurer has answered. `status` is asking since `asked_at`, or answered at `answered_at`; an earlier
    answer stays shown while the insurer is asked anew."""

    insurer: str
    insurer_name: str
    status: Literal["asking", "answered"]
    asked_at: datetime
    answered_at: datetime | None = Field(description="保险公司上次答复的时间")
    items: list[PolicyView]


class PoliciesPage(BaseModel):
    """One entry for each insurer that was asked."""

    items: list[PoliciesView]
