from __future__ import annotations

import socket
import time

import pytest
from redis.exceptions import RedisError

from app.core.redis import Breaker, connect


def test_a_silent_server_is_given_up_quickly_and_asked_once() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(5)
        client = connect(f"redis://127.0.0.1:{server.getsockname()[1]}/0", timeout_s=0.2)
        started = time.monotonic()
        with pytest.raises(RedisError):
            client.rpush("queue", "one")
        assert time.monotonic() - started < 1


def test_a_breaker_rests_after_a_failure() -> None:
    breaker = Breaker(rest_s=0.1)
    assert breaker.closed
    breaker.trip()
    assert not breaker.closed
    time.sleep(0.12)
    assert breaker.closed
