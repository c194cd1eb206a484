"""The program itself: it goes on whatever Redis forgets, and ends when it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer

from app.core.settings import Settings
from tests.servers import ROOT
from workers import __main__ as program
from workers.bell import QUEUE
from workers.context import Context

LONG_S = 0.6
# What a flush does between two of RQ's own commands: the job is gone, and RQ gives up.
FORGETFUL = """
import sys
from rq.exceptions import InvalidJobOperation
from workers import __main__ as program
done = program.Worker.execute_job
def forget(*_):
    program.Worker.execute_job = done
    raise InvalidJobOperation("Failed to retrieve status for job")
program.Worker.execute_job = forget
sys.argv[1:] = ["work"]
program.main()
"""
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(settings: Settings, fresh_redis_url: str) -> Iterator[Start]:
    env = os.environ | {"DATABASE_URL": settings.database_url, "REDIS_URL": fresh_redis_url}
    with ExitStack() as programs:

        def begin(*argv: str) -> subprocess.Popen[bytes]:
            program = programs.enter_context(subprocess.Popen([sys.executable, *argv], env=env, cwd=ROOT))
            programs.callback(program.kill)
            return program

        yield begin


@pytest.fixture
def queue(fresh_redis_url: str) -> Iterator[Queue]:
    with redis.Redis.from_url(fresh_redis_url) as connection:
        yield Queue(QUEUE, connection=connection, serializer=JSONSerializer)


def taken(queue: Queue) -> None:
    end_s = time.monotonic() + 180
    while queue.job_ids:
        assert time.monotonic() < end_s
        time.sleep(0.02)


def test_it_shows_a_sign_of_life_when_it_can_begin_at_once(here: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = "import sys, workers.__main__; sys.exit('workers.kinds' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", ready], cwd=ROOT, check=False).returncode == 0
    begun: list[str] = []
    monkeypatch.setattr(program.tasks, "take", lambda *_: begun.append("statement"))
    monkeypatch.setattr(here.lease, "hold", lambda: begun.append("lease"))
    program.warm_up(here)
    assert begun == ["statement", "lease"]


def test_it_outlives_a_flush_in_the_middle_of_a_job(start: Start, queue: Queue) -> None:
    program = start("-m", "workers", "work")
    for _ in range(2):
        queue.enqueue_call("time.sleep", (LONG_S,))
        taken(queue)
        time.sleep(LONG_S / 3)  # into the job
        queue.connection.flushall()
        time.sleep(LONG_S)
    queue.enqueue_call("time.sleep", (0.0,))
    taken(queue)
    require_well(program)


def test_it_goes_on_when_rq_gives_up(start: Start, queue: Queue) -> None:
    program = start("-c", FORGETFUL)
    for _ in range(3):
        queue.enqueue_call("time.sleep", (0.0,))
        taken(queue)
    require_well(program)


def require_well(program: subprocess.Popen[bytes]) -> None:
    time.sleep(LONG_S)
    assert program.poll() is None
    program.send_signal(signal.SIGTERM)
    assert program.wait(30) == 0
