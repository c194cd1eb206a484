"""Short-lived access tokens (JWT, RFC 7519, HS256) and the opaque tokens that refresh them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import jwt

from app.core.errors import Unauthorised

ACCESS_LIFE_S = 15 * 60


@dataclass(frozen=True)
class Claims:
    """What a token says: who, and in which session."""

    subject: UUID
    session: UUID


@dataclass(frozen=True)
class Tokens:
    key: bytes

    def issue(self, audience: str, subject: str, session: str, now: datetime) -> str:
        """A token for `audience` (account, operator) that names its subject and the session it can be revoked with."""
        expires = now + timedelta(seconds=ACCESS_LIFE_S)
        claims = {"aud": audience, "sub": subject, "sid": session, "iat": now, "exp": expires}
        return jwt.encode(claims, self.key, algorithm="HS256")

    def read(self, token: str, audience: str) -> Claims:
        """The claims of a valid token; Unauthorised tells expired from unusable."""
        try:
            required = ["aud", "sub", "sid", "exp"]
            options: Any = {"require": required}
            found = jwt.decode(token, self.key, algorithms=["HS256"], audience=audience, options=options)
            return Claims(UUID(found["sub"]), UUID(found["sid"]))
        except jwt.ExpiredSignatureError as error:
            raise Unauthorised("token_expired", "登录已过期，请刷新登录") from error
        except (jwt.InvalidTokenError, AttributeError, OverflowError, TypeError, ValueError) as error:
            raise Unauthorised("token_invalid", "请先登录") from error


def new_secret() -> str:
    """An opaque token: 32 random bytes in URL-safe text."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """What is stored of an opaque token. The token is random, so a plain hash is enough."""
    return sha256(secret.encode()).hexdigest()
