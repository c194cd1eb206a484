from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest
from redis.exceptions import RedisError

from app.core.redis import Breaker, connect


def asked(server: socket.socket) -> int:
    """How many connections wait to be accepted."""
    server.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_silent_server_is_given_up_quickly_and_asked_once() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(5)
        client = connect(f"redis://127.0.0.1:{server.getsockname()[1]}/0", timeout_s=0.2)
        with pytest.raises(RedisError):
            client.rpush("queue", "one")
        assert asked(server) == 1


def test_a_breaker_rests_after_a_failure() -> None:
    breaker = Breaker(rest_s=0.1)
    assert breaker.closed
    breaker.trip()
    assert not breaker.closed
    time.sleep(0.12)
    assert breaker.closed
