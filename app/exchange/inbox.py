"""Each message of a partner has its effect once: the answer is stored with the effect and given again."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.errors import Conflict
from app.core.work import Work
from app.exchange.models import InboxMessage

# Without the unit of work, and made once: every message of a partner runs them.
_TABLE = cast(Table, InboxMessage.__table__)
_CLAIM = (
    insert(_TABLE)
    .values({name: bindparam(name) for name in ("partner_id", "message_id", "request_hash")})
    .on_conflict_do_nothing()
    .returning(_TABLE.c.message_id)
)
_MINE = (_TABLE.c.partner_id == bindparam("of_partner"), _TABLE.c.message_id == bindparam("of_message"))
_KNOWN = select(_TABLE.c.request_hash, _TABLE.c.answer).where(*_MINE)
_STORE = update(_TABLE).where(*_MINE).values(answer=bindparam("answer"))


def begin(work: Work, partner_id: UUID, message_id: str, request_hash: str) -> dict[str, Any] | None:
    """Claim the message id. The stored answer if there is one; Conflict if the id meant something else, or what it
    meant is not answered twice. A second message with the same id waits here until the first has committed."""
    row = {"partner_id": partner_id, "message_id": message_id, "request_hash": request_hash}
    if work.session.scalar(_CLAIM, row) is not None:
        return None
    old = work.session.execute(_KNOWN, {"of_partner": partner_id, "of_message": message_id}).one()
    if old.request_hash != request_hash or old.answer is None:
        raise Conflict("message_id_reused", "这个 webhook-id 已经用过")
    return dict(old.answer)


def store(work: Work, partner_id: UUID, message_id: str, answer: dict[str, Any]) -> None:
    work.session.execute(_STORE, {"of_partner": partner_id, "of_message": message_id, "answer": answer})
