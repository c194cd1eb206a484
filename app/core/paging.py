"""Cursor paging over ids that sort by time (UUIDv7): newest first, stable while rows are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Select
from sqlalchemy.orm import Session


class PageQuery(BaseModel):
    limit: int = Field(20, ge=1, le=100)
    cursor: UUID | None = Field(None, description="上一页最后一条的编号（next_cursor）")


class PageView(BaseModel):
    next_cursor: UUID | None = None


def page(session: Session, wanted: Select[Any], key: Any, query: PageQuery) -> tuple[Sequence[Any], UUID | None]:
    """One page of `wanted` by `key` descending, and the cursor of the next page, None on the last."""
    if query.cursor is not None:
        wanted = wanted.where(key < query.cursor)
    rows = session.scalars(wanted.order_by(key.desc()).limit(query.limit + 1)).all()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return rows, rows[-1].id if more else None
