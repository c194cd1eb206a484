"""Redis holds what can be rebuilt. A caller never waits for it: short timeouts, no retries, a breaker."""

from __future__ import annotations

import time
from dataclasses import dataclass

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S = 0.2


def connect(url: str, *, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """A client that sends each command once: a lost reply must not repeat a push."""
    return redis.Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
    )


@dataclass
class Breaker:
    """After a failure nothing is tried for `rest_s` seconds."""

    rest_s: float = 1.0
    _open_until: float = 0.0

    @property
    def closed(self) -> bool:
        return time.monotonic() >= self._open_until

    def trip(self) -> None:
        self._open_until = time.monotonic() + self.rest_s
