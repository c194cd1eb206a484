"""The access token of each app, shared by all processes: Redis keeps it encrypted, one process at a time fetches it.

WeChat documentation, getStableAccessToken: normal mode hands the same token to everybody until five minutes before its
end, so processes that fetch at the same time cannot invalidate each other's token. Force mode (20 a day) is not used.
Without Redis each process keeps the token for itself.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError

from app.core.errors import Tampered
from app.core.log import get_log
from app.core.privacy import Privacy

OVERLAP_S = 300
LOCK_S = 10.0
WAIT_S = 3.0
POLL_S = 0.02
# Deletes the lock only if it is still the caller's (Redis documentation, distributed locks on one instance).
_UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
log = get_log(__name__)


class AppKey(Protocol):
    """What proves to WeChat which public account or mini-program calls."""

    @property
    def app_id(self) -> str: ...
    @property
    def secret(self) -> str: ...


Fetch = Callable[[AppKey], tuple[str, int]]


@dataclass
class TokenStore:
    """`fetch(app)` asks WeChat for (token, seconds to live); `current` and `renew` call it as seldom as they can."""

    redis: Redis
    privacy: Privacy
    fetch: Fetch
    _own: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)

    def current(self, app: AppKey) -> str:
        return self._read(app.app_id) or self._fetch_once(app, failed="")

    def renew(self, app: AppKey, failed: str) -> str:
        """Another token than `failed`, which WeChat has just refused. What somebody else fetched meanwhile is taken;
        a burst of refused calls therefore asks WeChat once."""
        known = self._read(app.app_id)
        if known and known != failed:
            return known
        return self._fetch_once(app, failed)

    def _fetch_once(self, app: AppKey, failed: str) -> str:
        """Fetch under the lock; whoever finds it taken waits for the result and looks again."""
        owner, end = secrets.token_hex(8), time.monotonic() + WAIT_S
        while not self._lock(app.app_id, owner):
            if time.monotonic() > end:
                break  # two fetches at once are harmless in normal mode
            time.sleep(POLL_S)
        try:
            known = self._read(app.app_id)
            if known and known != failed:
                return known
            token, expires_in_s = self.fetch(app)
            self._write(app.app_id, token, max(expires_in_s - OVERLAP_S, 1))
            return token
        finally:
            self._unlock(app.app_id, owner)

    def _read(self, app_id: str) -> str | None:
        try:
            sealed = self.redis.get(_key(app_id))
        except RedisError:
            token, ends = self._own.get(app_id, ("", 0.0))
            return token if time.time() < ends else None
        if sealed is None:
            return None
        try:
            assert isinstance(sealed, bytes)
            return str(json.loads(self.privacy.open(sealed.decode(), _key(app_id)))["token"])
        except Tampered:
            return None

    def _write(self, app_id: str, token: str, life_s: int) -> None:
        self._own[app_id] = (token, time.time() + life_s)
        try:
            self.redis.set(_key(app_id), self.privacy.seal_json({"token": token}, _key(app_id)), ex=life_s)
        except RedisError as error:
            log.warning("token_not_shared", app_id=app_id, error=type(error).__name__)

    def _lock(self, app_id: str, owner: str) -> bool:
        try:
            return bool(self.redis.set(f"{_key(app_id)}:lock", owner, nx=True, px=int(LOCK_S * 1000)))
        except RedisError:
            return True

    def _unlock(self, app_id: str, owner: str) -> None:
        try:
            self.redis.eval(_UNLOCK, 1, f"{_key(app_id)}:lock", owner)
        except RedisError as error:
            log.warning("token_lock_left", app_id=app_id, error=type(error).__name__)


def _key(app_id: str) -> str:
    return f"wechat:token:{app_id}"
