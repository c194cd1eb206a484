from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from app.core.paging import PageView
from app.notification.states import State


class NoticeView(BaseModel):
    """`subject` is the id of what the notice is about."""

    id: UUID
    template: str
    title: str
    text: str
    status: State
    subject: UUID | None
    at: datetime


class NoticePage(PageView):
    items: list[NoticeView]
