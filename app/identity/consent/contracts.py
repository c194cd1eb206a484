from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Purpose = Literal["claim", "records", "medical_insurance"]
Scope = Literal["identity", "visits", "diagnoses", "bills", "e_bills", "documents", "reports"]


class ConsentInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    recipient: str = Field(min_length=1, max_length=40, description="接收方代码，例如保险公司 I1")
    purpose: Purpose
    scope: list[Scope] = Field(min_length=1, max_length=10)


class ReceiptOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    what: list[str]
    subject_id: UUID = Field(description="因哪一件事分享，例如理赔编号")
    shared_at: datetime


class ConsentOut(BaseModel):
    """`receipts`: what was in fact shared with the recipient, and when."""

    id: UUID
    person_id: UUID
    recipient: str
    recipient_name: str
    purpose: Purpose
    scope: list[str]
    wording: str
    status: Literal["in_force", "withdrawn"]
    given_at: datetime
    withdrawn_at: datetime | None
    receipts: list[ReceiptOut]


class ConsentsOut(BaseModel):
    consents: list[ConsentOut]
