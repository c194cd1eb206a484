"""The doorbell: an RQ job that says "there is work of this kind". It may be lost; the sweeper rings again."""

from __future__ import annotations

from collections.abc import Iterable

import redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from app.core.log import get_log
from app.core.redis import Breaker, connect

QUEUE = "zhipei"
JOB_TIMEOUT_S = 60
RING_PAUSE_MS = 500
log = get_log(__name__)


class Bell:
    """Rings at most once in half a second for each kind, never waits for Redis longer than its short timeouts."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._breaker = Breaker()
        self._connection: redis.Redis | None = None

    @property
    def connection(self) -> redis.Redis:
        if self._connection is None:
            self._connection = connect(self._url)
        return self._connection

    def __call__(self, kinds: Iterable[str]) -> None:
        """Enqueue one drain for each kind that nobody has rung for just now."""
        if not self._breaker.closed:
            return
        try:
            queue = Queue(QUEUE, connection=self.connection, serializer=JSONSerializer)
            for kind in sorted(kinds):
                if self.connection.set(f"bell:{kind}", 1, nx=True, px=RING_PAUSE_MS):
                    queue.enqueue(
                        "workers.drain.drain", kind, job_timeout=JOB_TIMEOUT_S, result_ttl=0, failure_ttl=0, ttl=60
                    )
        except RedisError as error:
            self._breaker.trip()
            log.warning("bell_silent", error=type(error).__name__)

    def answered(self, kind: str) -> None:
        """A drain has begun: the next ring for this kind counts again."""
        try:
            self.connection.delete(f"bell:{kind}")
        except RedisError as error:
            log.warning("bell_silent", error=type(error).__name__)
