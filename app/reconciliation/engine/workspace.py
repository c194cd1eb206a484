"""The keys of one segment in Redis: `recon:{date:segment}:party:…`, removed at the end whatever happens.

The part in braces is the hash tag of Redis Cluster: a segment's keys live on one node, segments spread over all.
Every key ends with a token of its own, so two comparisons of one day cannot meet. A killed one leaves keys that expire;
a night, whose tokens begin with its own mark, sweeps up after its killed workers when it ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

EXPIRES_S = 300  # many times what a segment takes; one that takes longer is compared anew
_SCANNED = 1000


class WorkingSetLost(Exception):
    """Redis lost keys in the middle (emptied, evicted, failed over): what it answered since then means nothing."""


class Workspace:
    """Commands that are all idempotent; BITOP is sent singly, because a cluster's pipeline refuses it."""

    def __init__(self, redis: Redis | RedisCluster, tag: str, mark: str = "") -> None:
        self.redis = redis
        self._tag = tag
        self._token = mark + secrets.token_hex(4)
        self._keys: set[str] = set()

    def key(self, *names: str) -> str:
        key = f"recon:{{{self._tag}}}:{':'.join(names)}:{self._token}"
        self._keys.add(key)
        return key

    def expire(self, keys: Iterable[str]) -> None:
        """Let keys end by themselves should we be killed before we can remove them."""
        pipeline = self.redis.pipeline(transaction=False)
        for key in keys:
            pipeline.expire(key, EXPIRES_S)
        pipeline.execute()

    def is_whole(self) -> bool:
        """Whether every key that was ever named is still there: right where none is written twice or left empty."""
        return int(self.redis.exists(*self._keys)) == len(self._keys)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if self._keys:
                self.redis.unlink(*self._keys)
        except RedisError:
            if error is None:
                raise


def sweep(redis: Redis | RedisCluster, mark: str) -> int:
    """Remove every key whose token begins with a night's mark; how many there were."""
    left = [bytes(key) for key in redis.scan_iter(f"recon:*:{mark}*", count=_SCANNED)]
    for key in left:  # one by one: on a cluster they live on several nodes
        redis.unlink(key)
    return len(left)
