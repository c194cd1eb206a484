from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class OfPerson(BaseModel):
    person_id: UUID


class RegistrationView(BaseModel):
    """`place`, `expected_s` while the entry waits; `stepped_aside` when it failed too often; `refused` in Chinese."""

    id: UUID
    hospital_id: UUID
    person_id: UUID
    status: str
    status_since: datetime
    place: int | None
    expected_s: int | None
    stepped_aside: bool
    refused: str | None


class RegistrationPage(BaseModel):
    items: list[RegistrationView]
