from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from app.core.paging import PageView
from app.registration.states import State


class OfPerson(BaseModel):
    person_id: UUID


class RegistrationView(BaseModel):
    """`place`, `expected_s` while the entry waits; `stepped_aside` when it failed too often; `refused` in Chinese."""

    id: UUID
    hospital_id: UUID
    person_id: UUID
    status: State
    status_since: datetime
    place: int | None
    expected_s: int | None
    stepped_aside: bool
    refused: str | None


class RegistrationPage(BaseModel):
    items: list[RegistrationView]


class AsideView(BaseModel):
    """An entry that failed `tries` times, last with `last_code`, and is passed by others until `not_before`."""

    id: UUID
    hospital_id: UUID
    line_no: int
    status: State
    status_since: datetime
    tries: int
    last_code: str | None
    not_before: datetime | None


class AsidePage(PageView):
    items: list[AsideView]
