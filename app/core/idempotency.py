"""Idempotency keys of callers: the first answer is stored with its effect and given again to whoever repeats the call.

The draft "The Idempotency-Key HTTP Header Field" (IETF httpapi) describes the header; the row is inserted first, so a
second call with the same key waits in the database until the first has committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, bindparam, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.bare import Bare
from app.core.db import Base, Sealed
from app.core.errors import Invalid
from app.core.work import Work


class IdempotencyKey(Base):
    __tablename__ = "idempotency_key"

    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int | None]
    response_sealed: Mapped[Sealed | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


# Every command of a caller runs them.
_TABLE = cast(Table, IdempotencyKey.__table__)
_CLAIM = Bare(
    insert(_TABLE)
    .values({name: bindparam(name) for name in ("principal", "key", "request_hash")})
    .on_conflict_do_nothing()
    .returning(_TABLE.c.key)
)
_STORE = Bare(
    update(_TABLE)
    .where(_TABLE.c.principal == bindparam("of_principal"), _TABLE.c.key == bindparam("of_key"))
    .values(status=bindparam("status"), response_sealed=bindparam("response_sealed"))
)


@dataclass(frozen=True)
class Asked:
    """Who asks, under which key."""

    principal: str
    key: str


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


def begin(work: Work, principal: str, key: str, request: bytes) -> Answer | None:
    """Claim `key` for this request. The stored answer if there is one; Invalid if the key meant another request."""
    # Keyed: a request may hold little more than an identity number, which a plain hash would let one guess.
    digest = work.privacy.index(sha256(request).hexdigest(), "request")
    row = {"principal": principal, "key": key, "request_hash": digest}
    if _CLAIM.first(work.session, row) is not None:
        return None
    old = work.session.execute(
        select(IdempotencyKey.request_hash, IdempotencyKey.status, IdempotencyKey.response_sealed).where(
            IdempotencyKey.principal == principal, IdempotencyKey.key == key
        )
    ).one()
    if old.request_hash != digest:
        raise Invalid("idempotency_key_reused", "这个 Idempotency-Key 已经用于另一个请求，请换一个")
    return Answer(old.status, work.privacy.open_json(old.response_sealed, _where(principal, key)))


def was_asked(principal: ColumnElement[str], key: ColumnElement[str]) -> ColumnElement[bool]:
    """For a query: whether this key was answered before. Then the stored answer counts, whatever has changed since."""
    return exists().where(_TABLE.c.principal == principal, _TABLE.c.key == key)


def store(work: Work, principal: str, key: str, answer: Answer) -> None:
    """Keep the answer, encrypted, in the transaction that has the effect."""
    sealed = work.privacy.seal_json(answer.body, _where(principal, key))
    given = {"of_principal": principal, "of_key": key, "status": answer.status, "response_sealed": sealed}
    _STORE.run(work.session, given)


def _where(principal: str, key: str) -> str:
    return f"idempotency_key:response:{principal}:{key}"
