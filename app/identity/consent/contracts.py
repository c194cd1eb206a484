from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.identity.consent.rules import CURRENT_WORDING

Purpose = Literal["claim", "records", "medical_insurance"]
DataClass = Literal["general", "health"]
Scope = Literal["identity", "claim", "bills", "e_bills", "visits", "diagnoses", "documents", "reports"]
RecipientCode = Annotated[str, Field(min_length=1, max_length=40, description="接收方代码，例如保险公司 I1")]
Scopes = Annotated[
    list[Scope],
    Field(min_length=1, max_length=10, description="健康信息（visits、diagnoses、documents、reports）须单独授权"),
]


class ConsentInput(BaseModel):
    """`wording`: the version of the text that was shown; the one in force if it is left away."""

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    recipient: RecipientCode
    purpose: Purpose
    scope: Scopes
    wording: str = Field(CURRENT_WORDING, max_length=20)


class TextQuery(BaseModel):
    recipient: RecipientCode
    purpose: Purpose


class TextOut(BaseModel):
    """What has to be shown before consent to this class of data is given: one text for each class."""

    data_class: DataClass
    scope: list[str]
    wording: str
    statement: str


class TextsOut(BaseModel):
    recipient: str
    recipient_name: str
    recipient_contact: str
    texts: list[TextOut]


class ReceiptOut(BaseModel):
    """`in_words` says in Chinese what was shared, with whom, when and what for."""

    occasion: str
    what: list[str]
    subject_id: UUID = Field(description="因哪一件事分享，例如理赔编号")
    about_no: str
    shared_at: datetime
    in_words: str


class ConsentOut(BaseModel):
    """`statement`: the text agreed to. `receipts`: what was in fact shared with the recipient, and when."""

    id: UUID
    person_id: UUID
    recipient: str
    recipient_name: str
    recipient_contact: str
    purpose: Purpose
    data_class: DataClass
    scope: list[str]
    wording: str
    statement: str
    status: Literal["in_force", "withdrawn"]
    given_at: datetime
    withdrawn_at: datetime | None
    receipts: list[ReceiptOut]


class ConsentsOut(BaseModel):
    consents: list[ConsentOut]
