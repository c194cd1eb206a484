"""Access and refresh tokens (RFC 6749 section 1.5; rotation and re-use detection: RFC 9700 section 4.14.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.core.tokens import ACCESS_LIFE_S, fingerprint, new_secret
from app.core.work import Work
from app.identity.session.models import RefreshToken, Revocable


@dataclass(frozen=True)
class TokenPair:
    """What a client keeps: the access token for every request, the refresh token for the next pair."""

    principal_id: UUID
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int = ACCESS_LIFE_S


def begin(work: Work, audience: str, row: Revocable) -> TokenPair:
    """Start the session `row`; `audience` is account or operator."""
    work.add(row)
    work.audit(f"{row.__tablename__}.begin", row.__tablename__, row.id)  # type: ignore[attr-defined]
    return _hand_out(work, audience, row)


def renew(work: Work, audience: str, model: type[Any], refresh_token: str) -> TokenPair | None:
    """The next pair. None for a token that is unknown, ended or used before; a used one also ends its session, because
    one of the two who hold it is a thief. The caller must commit in either case."""
    token = work.session.get(RefreshToken, fingerprint(refresh_token), with_for_update=True)
    if token is None:
        return None
    row: Revocable | None = work.session.get(model, token.session_id)
    if row is None or row.revoked_at is not None or row.expires_at <= work.now:
        return None
    if token.used_at is not None:
        revoke(work, model, row.id, "refresh_token_reused")
        return None
    token.used_at = work.now
    return _hand_out(work, audience, row)


def revoke(work: Work, model: type[Any], session_id: UUID, why: str) -> None:
    """End a session; ending it again changes nothing."""
    alive = update(model).where(model.id == session_id, model.revoked_at.is_(None))
    ended = work.session.execute(alive.values(revoked_at=work.now, revoked_why=why).returning(model.id))
    if ended.scalar() is not None:
        work.audit(f"{model.__tablename__}.revoke", model.__tablename__, session_id, why=why)


def is_live(session: Session, model: type[Any], session_id: UUID, now: datetime) -> bool:
    wanted = select(model.id).where(model.id == session_id, model.revoked_at.is_(None), model.expires_at > now)
    return session.scalar(wanted) is not None


def forget_ended(session: Session, model: type[Any], before: datetime) -> None:
    """Delete sessions that ended before a moment, with their tokens."""
    ended = select(model.id).where(model.expires_at < before)
    session.execute(delete(RefreshToken).where(RefreshToken.session_id.in_(ended)))
    session.execute(delete(model).where(model.expires_at < before))


def _hand_out(work: Work, audience: str, row: Revocable) -> TokenPair:
    secret = new_secret()
    work.add(RefreshToken(fingerprint=fingerprint(secret), session_id=row.id))
    access = work.runtime.tokens.issue(audience, str(row.principal_id), str(row.id), work.now)
    return TokenPair(row.principal_id, access, secret)
