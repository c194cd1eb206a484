"""The doorbell: an RQ job that says "there is work of this kind". It may be lost; the sweeper rings again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import uuid4

import redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from app.core.log import get_log
from app.core.redis import Breaker, connect

QUEUE = "zhipei"
JOB_TIMEOUT_S = 60
RING_LIFE_S = 60  # as long as a ring waits in the queue
log = get_log(__name__)


class Bell:
    """A kind is rung for once until a drain answers: `bell:<kind>` names the ring, an RQ job, that is on its way.
    Nobody waits for Redis longer than its short timeouts."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._breaker = Breaker()
        self._connection: redis.Redis | None = None

    @property
    def connection(self) -> redis.Redis:
        if self._connection is None:
            self._connection = connect(self._url)
        return self._connection

    @property
    def _queue(self) -> Queue:
        return Queue(QUEUE, connection=self.connection, serializer=JSONSerializer)

    def __call__(self, kinds: Iterable[str]) -> None:
        """Ring for each kind for which no ring is on its way."""
        if not self._breaker.closed:
            return
        try:
            for kind in sorted(kinds):
                self._ring(kind)
        except RedisError as error:
            self._fall_silent(error)

    def again(self, kinds: Iterable[str], *, first: Collection[str] = ()) -> None:
        """For who has seen that tasks of these kinds are due: a ring that has left the queue and was never answered was
        lost with its worker, and counts no more. Those of `first` are answered before all others."""
        if not self._breaker.closed:
            return
        try:
            waiting = set(self._queue.job_ids)
            for kind in sorted(kinds):
                self._lift(kind, waiting, first=kind in first)
                self._ring(kind, at_front=kind in first)
        except RedisError as error:
            self._fall_silent(error)

    def answered(self, kind: str) -> None:
        """A drain has begun: the next ring for this kind counts again."""
        try:
            self.connection.delete(_key(kind))
        except RedisError as error:
            log.warning("bell_silent", error=type(error).__name__)

    def _ring(self, kind: str, *, at_front: bool = False) -> None:
        ring = uuid4().hex
        if self.connection.set(_key(kind), ring, nx=True, ex=RING_LIFE_S):
            self._queue.enqueue(
                "workers.drain.drain",
                kind,
                job_id=ring,
                at_front=at_front,
                job_timeout=JOB_TIMEOUT_S,
                result_ttl=0,
                failure_ttl=0,
                ttl=RING_LIFE_S,
            )

    def _lift(self, kind: str, waiting: set[str], *, first: bool) -> None:
        """Forget a ring that is not in the queue any more, and take out one that is to go to the front."""
        before = self.connection.get(_key(kind))
        ring = before.decode() if isinstance(before, bytes) else None
        if ring is None or (ring in waiting and not first):
            return
        self._queue.remove(ring)
        self.connection.delete(_key(kind))

    def _fall_silent(self, error: RedisError) -> None:
        self._breaker.trip()
        log.warning("bell_silent", error=type(error).__name__)


def _key(kind: str) -> str:
    return f"bell:{kind}"
