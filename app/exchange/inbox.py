"""Each message of a partner has its effect once: the answer is stored with the effect and given again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.errors import Conflict
from app.core.work import Work
from app.exchange.models import InboxMessage


def begin(work: Work, partner_id: UUID, message_id: str, request_hash: str) -> dict[str, Any] | None:
    """Claim the message id. The stored answer if there is one; Conflict if the id meant something else, or what it
    meant is not answered twice. A second message with the same id waits here until the first has committed."""
    row = {"partner_id": partner_id, "message_id": message_id, "request_hash": request_hash}
    new = insert(InboxMessage).values(row).on_conflict_do_nothing().returning(InboxMessage.message_id)
    if work.session.scalar(new) is not None:
        return None
    old = work.session.execute(select(InboxMessage.request_hash, InboxMessage.answer).where(*_mine(row))).one()
    if old.request_hash != request_hash or old.answer is None:
        raise Conflict("message_id_reused", "这个 webhook-id 已经用过")
    return dict(old.answer)


def store(work: Work, partner_id: UUID, message_id: str, answer: dict[str, Any]) -> None:
    row = {"partner_id": partner_id, "message_id": message_id}
    work.session.execute(update(InboxMessage).where(*_mine(row)).values(answer=answer))


def _mine(row: dict[str, Any]) -> tuple[Any, ...]:
    return InboxMessage.partner_id == row["partner_id"], InboxMessage.message_id == row["message_id"]
