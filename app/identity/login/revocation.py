"""Which access tokens no longer count. A token lives fifteen minutes, so only sessions revoked since then matter; each
process reads them once a second, and a request costs no query of its own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from app.core.tokens import ACCESS_LIFE_S
from app.core.work import Runtime
from app.identity.login.models import LoginSession

MAX_AGE_S = 1.0
_MARGIN = timedelta(seconds=ACCESS_LIFE_S + 60)


@dataclass
class Revocations:
    """The sessions revoked lately, at most `max_age_s` old. Without the database nobody is let in."""

    max_age_s: float = MAX_AGE_S
    _ids: frozenset[UUID] = frozenset()
    _read_at: float = -1e9
    _source: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def contain(self, runtime: Runtime, session_id: UUID) -> bool:
        with self._lock:
            fresh = time.monotonic() - self._read_at < self.max_age_s and self._source == id(runtime)
            if not fresh:
                asked_at = time.monotonic()
                self._ids = _revoked(runtime)
                self._read_at, self._source = asked_at, id(runtime)
            return session_id in self._ids


def _revoked(runtime: Runtime) -> frozenset[UUID]:
    since = runtime.clock.now() - _MARGIN
    with runtime.read() as session:
        return frozenset(session.scalars(select(LoginSession.id).where(LoginSession.revoked_at > since)))
