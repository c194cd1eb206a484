"""The worker that applies batches, in a process of its own as in operation."""

from __future__ import annotations

import multiprocessing
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from app.core.tasks import Lease
from app.core.work import Runtime
from app.wiring import make_gateways
from bench.ground import runtime_on
from workers.__main__ import warm_up
from workers.bell import Bell
from workers.context import Context
from workers.drain import drain_with

_PUSHED, _FINISH, _END = "pushed", "finish", "end"


class Applier:
    """Applies what was pushed; needs nothing but the runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._lease = Lease(runtime.settings.database_url)
        bell = Bell(runtime.settings.redis_url)
        self._here = Context(runtime, make_gateways(runtime.settings), bell, self._lease)
        warm_up(self._here)

    def apply(self) -> None:
        """Work through everything that was pushed."""
        while drain_with(self._here, "record.apply", turn_s=60.0):
            pass

    def close(self) -> None:
        self._lease.drop()


@dataclass(frozen=True)
class Worker:
    """The process as the benchmark sees it."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def ring(self) -> None:
        """Whoever has pushed rings; several may at the same time."""
        with self._turn:
            self.pipe.send(_PUSHED)

    def finish(self) -> float:
        """Returns when everything is applied: the processor seconds that the worker has used since it began."""
        self.pipe.send(_FINISH)
        used_s: float = self.pipe.recv()
        return used_s

    def close(self) -> None:
        self.pipe.send(_END)
        self.process.join()


def start(database_url: str, redis_url: str) -> Worker:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(database_url, redis_url, there))
    process.start()
    return Worker(process, here)


def _work(database_url: str, redis_url: str, pipe: Connection) -> None:
    runtime = runtime_on(database_url, redis_url=redis_url)
    applier = Applier(runtime)
    while (asked := _last(pipe)) != _END:
        applier.apply()
        if asked == _FINISH:
            pipe.send(time.process_time())
    applier.close()
    runtime.database.dispose()


def _last(pipe: Connection) -> str:
    """What was asked last: who rings twice while the worker is at it is served once."""
    asked: str = pipe.recv()
    while pipe.poll():
        asked = pipe.recv()
    return asked
