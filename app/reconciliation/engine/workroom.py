"""The server in which books are compared: one Redis or Valkey, or a cluster of them, whichever stands at the URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

CONNECT_TIMEOUT_S = 2.0
COMMAND_TIMEOUT_S = 60.0
_READ_BYTES = 1 << 20  # answers are megabytes


@contextmanager
def workroom(url: str) -> Iterator[Redis | RedisCluster]:
    """A client that answers in bytes. All commands of a comparison may be repeated, but a silent server is to be told
    at once: redis.RedisError, also for what is no URL."""
    with _connect(url, CONNECT_TIMEOUT_S) as probe:
        in_cluster = bool(probe.info("cluster").get("cluster_enabled"))
    with _join(url) if in_cluster else _connect(url, COMMAND_TIMEOUT_S) as redis:
        yield redis


def _connect(url: str, timeout_s: float) -> Redis:
    try:
        return Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=timeout_s,
            socket_read_size=_READ_BYTES,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise RedisError("not the URL of a server") from error


def _join(url: str) -> RedisCluster:
    try:
        return RedisCluster.from_url(
            url,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=COMMAND_TIMEOUT_S,
            socket_read_size=_READ_BYTES,
        )
    except RedisClusterException as error:
        raise RedisError("the cluster is not whole") from error
