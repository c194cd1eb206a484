"""The processes that fight for the interface's places: ours by the slots in PostgreSQL, the baseline by a counter.

Each process of ours does everything that workers and agent do, in threads: it admits, hands commands out, sends the
trials after a random delay, takes the answers, and works on what follows. Its clock is wrong by `skew_s`; it may be
killed at any moment.
"""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from app.core.clock import Clock
from app.core.tasks import Lease
from app.core.work import Runtime
from app.exchange import commands, hand_out, wake
from app.exchange.contracts import AnswerIn
from app.exchange.hand_out import Ask, Handed
from app.wiring import make_gateways
from bench.ground import libpq, runtime_on
from hospital_agent.errors import Refused, Temporary, Unknown
from hospital_agent.fsi import FsiClient, FsiMessage
from hospital_agent.handlers import fsi_messages
from hospital_agent.handlers.medical_insurance import SIDES
from hospital_agent.mapping.values import to_fen
from hospital_agent.sections import NetworkConfig
from workers.bell import Bell
from workers.context import Context
from workers.drain import drain_with

SENDERS = 32
MARGIN_S = 0.5
PAUSE_S = 0.25  # the longest a greedy process looks away


@dataclass(frozen=True)
class Post:
    """Where one process stands. `jitter_s` is the longest delay between being admitted and sending."""

    interface_url: str
    treatment: str
    jitter_s: float
    database_url: str = ""
    redis_url: str = ""
    interface_id: UUID = field(default_factory=uuid4)
    partner_id: UUID = field(default_factory=uuid4)
    skew_s: float = 0.0
    n: int = 0
    window_s: float = 0.0


@dataclass(frozen=True)
class _Skewed(Clock):
    skew_s: float = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.skew_s)


class _Wire:
    """One trial to the interface, by the agent's own client."""

    def __init__(self, post: Post) -> None:
        self._post = post
        config = NetworkConfig(url=post.interface_url, timeout_s=10.0, operator="M1", fixmedins_codes={})
        self._client = FsiClient(config)

    def send(self, total_fen: int, timeout_s: float) -> tuple[Mapping[str, int | None], int | None, int | None]:
        body = {"bill": {"bill_key": "B1", "total_fen": total_fen}}
        request = fsi_messages.trial(body, self._post.treatment)
        answer = self._client.call(FsiMessage("2206", "H1", request, timeout_s))
        info = cast("Mapping[str, Any]", answer.output["setlinfo"])
        sides = {ours: to_fen(info[theirs], "yuan") for ours, theirs in SIDES.items()}
        return sides, answer.received_ms, answer.answered_ms


class _Agent:
    """Fetches trial commands and sends each at most once, in as many threads as it has senders."""

    def __init__(self, post: Post, runtime: Runtime) -> None:
        self._post, self._runtime, self._wire = post, runtime, _Wire(post)
        self._free = threading.Semaphore(SENDERS)
        self._pool = ThreadPoolExecutor(SENDERS)

    def run(self) -> None:
        with psycopg.connect(libpq(self._post.database_url), autocommit=True) as ear:
            ear.execute(f"LISTEN {wake.CHANNEL}")
            while _wanted():
                if not self._fetch():
                    next(ear.notifies(timeout=0.25, stop_after=1), None)

    def _fetch(self) -> int:
        room = 0
        while room < 8 and self._free.acquire(blocking=not room):  # one process must not take all
            room += 1
        asked_s = time.monotonic()
        with self._runtime.work() as work:
            handed = hand_out.hand_out(work, Ask(self._post.interface_id, room, ["trial"]))
        for one in handed:
            self._pool.submit(self._one, one, asked_s + (one.left_ms or 0) / 1000)
        for _ in range(room - len(handed)):
            self._free.release()
        return len(handed)

    def _one(self, command: Handed, deadline_s: float) -> None:
        try:
            time.sleep(random.uniform(0, self._post.jitter_s))
            self._answer(command, self._try(command, deadline_s))
        finally:
            self._free.release()

    def _try(self, command: Handed, deadline_s: float) -> dict[str, Any]:
        left_s = deadline_s - time.monotonic()
        if left_s <= MARGIN_S:
            return {"outcome": "unknown", "code": "past_deadline"}
        try:
            sides, received_ms, answered_ms = self._wire.send(command.body["bill"]["total_fen"], left_s)
        except Refused as refused:
            return {"outcome": "refused", "code": refused.code}
        except Unknown as unknown:
            return {"outcome": "unknown", "code": unknown.code}
        except Temporary:
            return {"outcome": "unknown", "code": "not_sent"}
        return {"outcome": "done", "body": {**sides, "received_ms": received_ms, "answered_ms": answered_ms}}

    def _answer(self, command: Handed, said: dict[str, Any]) -> None:
        answer = AnswerIn.model_validate({"id": command.id, "code": None, "message": None, "body": {}} | said)
        with self._runtime.work() as work:
            commands.take_answers(work, self._post.partner_id, self._post.interface_id, [answer])


class _NoBell(Bell):
    """Nobody has to be woken: these workers look all the time."""

    def __call__(self, kinds: object) -> None: ...

    def answered(self, kind: str) -> None: ...


def ours(post: Post) -> None:
    """The whole life of one process: until it is killed or its parent has gone."""
    random.seed()
    runtime = runtime_on(post.database_url, pool_size=12)
    runtime.clock = _Skewed(None, post.skew_s)
    gateways = make_gateways(runtime.settings)
    loops: list[Callable[[], None]] = [_Agent(post, runtime).run, lambda: _expire(runtime)]
    for kind in ("settlement.admit", "settlement.trial_answered"):
        here = Context(runtime, gateways, _NoBell("redis://127.0.0.1:1"), Lease(post.database_url))
        loops.append(lambda here=here, kind=kind: _drain(here, kind))  # type: ignore[misc]
    _all(loops)


def baseline(post: Post) -> None:
    """The usual way: a counter for each window in Redis, at the moment of the decision."""
    random.seed()
    limiter = FixedWindowRateLimiter(RedisStorage(post.redis_url))
    item, wire = RateLimitItemPerSecond(post.n, round(post.window_s)), _Wire(post)

    def greedy() -> None:
        while _wanted():
            if not limiter.hit(item, post.interface_url):
                time.sleep(random.uniform(0.005, 0.03))
                continue
            time.sleep(random.uniform(0, post.jitter_s))
            with_errors = (Refused, Unknown, Temporary)
            try:
                wire.send(10_000, 10.0)
            except with_errors:
                continue

    _all([greedy] * 8)


def _drain(here: Context, kind: str) -> None:
    while _wanted():
        if not drain_with(here, kind, turn_s=5.0):
            time.sleep(random.uniform(0, PAUSE_S))


def _expire(runtime: Runtime) -> None:
    while _wanted():
        with runtime.work() as work:
            commands.expire(work)
        time.sleep(1.0)


def _all(loops: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=loop, daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _wanted() -> bool:
    parent = multiprocessing.parent_process()
    return parent is None or parent.is_alive()
