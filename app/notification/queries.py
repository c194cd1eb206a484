from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from app.core.paging import PageQuery, page
from app.notification.models import Notice


def page_of_account(session: Session, account_id: UUID, query: PageQuery) -> tuple[Sequence[Notice], UUID | None]:
    """Newest first, with their sealed content."""
    mine = select(Notice).options(undefer(Notice.content_sealed)).where(Notice.account_id == account_id)
    return page(session, mine, Notice.id, query)
