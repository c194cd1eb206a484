from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from app.core.embedded import Valkey
from app.core.work import Runtime
from tests.servers import ROOT
from workers.bell import QUEUE, RING_LIFE_S, Bell


@pytest.fixture
def bell(fresh_redis_url: str) -> Bell:
    return Bell(fresh_redis_url)


def queued(bell: Bell) -> list[str]:
    """The kinds that are rung for, in the order in which they are answered."""
    return [job.args[0] for job in Queue(QUEUE, connection=bell.connection, serializer=JSONSerializer).jobs]


def test_each_kind_is_rung_once_until_it_is_answered(bell: Bell) -> None:
    for _ in range(3):
        bell({"a.kind", "b.kind"})
    assert len(queued(bell)) == 2
    bell.answered("a.kind")
    bell({"a.kind", "b.kind"})
    assert len(queued(bell)) == 3


def test_a_ring_that_waits_is_not_repeated_however_long_it_waits(bell: Bell) -> None:
    bell({"a.kind"})
    for _ in range(3):
        bell.again({"a.kind", "b.kind"})
    assert queued(bell) == ["a.kind", "b.kind"]
    assert 0 < bell.connection.ttl("bell:a.kind") <= RING_LIFE_S


def test_a_ring_that_left_the_queue_unanswered_is_repeated(bell: Bell) -> None:
    bell({"a.kind"})
    Queue(QUEUE, connection=bell.connection).empty()  # as a worker does that is killed then
    bell({"a.kind"})
    assert queued(bell) == []
    bell.again({"a.kind"})
    assert len(queued(bell)) == 1


def test_what_a_dead_worker_held_is_answered_first_and_once(bell: Bell) -> None:
    bell({"a.kind", "b.kind", "c.kind"})
    for _ in range(2):
        bell.again({"a.kind", "c.kind", "d.kind"}, first=["c.kind", "d.kind"])
    assert (sorted(queued(bell)[:2]), queued(bell)[2:]) == (["c.kind", "d.kind"], ["a.kind", "b.kind"])


def test_nothing_but_the_kind_goes_into_redis(bell: Bell, runtime: Runtime) -> None:
    bell({"a.kind"})
    content = b"".join(bell.connection.dump(key) or b"" for key in bell.connection.scan_iter())
    assert b"a.kind" in content and b"pickle" not in content


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield server.getsockname()[1]


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_without_redis_callers_do_not_wait_each_time(silent_port: int, how: str) -> None:
    bell = Bell(f"redis://127.0.0.1:{silent_port if how == 'silent' else 1}/0")
    started = time.monotonic()
    for _ in range(300):
        bell({"a.kind", "b.kind", "c.kind"})
    assert time.monotonic() - started < 30, "waiting each time takes a minute"


def test_a_commit_with_redis_stopped_is_quick_and_the_bell_comes_back(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = Valkey(tmp_path_factory.mktemp("bell") / "valkey")
    bell = Bell(server.start())
    monkeypatch.setattr(runtime, "ring", bell)
    try:
        server.stop()
        started = time.monotonic()
        with runtime.work() as work:
            work.later("audit.seal", None)
        assert time.monotonic() - started < 30
        server.start()
        time.sleep(bell._breaker.rest_s)
        bell({"audit.seal"})
        assert len(queued(bell)) == 1
    finally:
        server.remove()


def test_many_callers_at_once_ring_once(bell: Bell) -> None:
    threads = [threading.Thread(target=bell, args=({"a.kind"},)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queued(bell)) == 1


def test_an_error_of_redis_is_no_error_of_the_caller(bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise redis.exceptions.OutOfMemoryError("no room")

    monkeypatch.setattr(bell.connection, "set", fail)
    bell({"a.kind"})
    assert ROOT.exists() and not bell._breaker.closed
