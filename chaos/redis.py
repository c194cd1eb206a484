"""`script/chaos redis [--registrations M] [--json]`: Redis killed, emptied, absent, unheard, while registrations flow.

A booking over HTTP is accepted meanwhile, and the line goes on within 5 s of Redis being there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import redis

from bench import stack
from bench.ground import arguments, count, load, report, tell
from bench.stack import Stack
from chaos import counting
from chaos.flow import Flow

ABSENT_S = 12.0  # long enough for waiting times that double to show
UNHEARD_S = 5.0
RECOVERY_BAR_S = 5.0
PATIENCE_S = 60.0


def _killed(running: Stack, submit: Callable[[], None]) -> float:
    running.supervisor.kill(stack.VALKEY)
    struck = time.monotonic()
    submit()
    return struck


def _flushed(running: Stack, submit: Callable[[], None]) -> float:
    with redis.Redis.from_url(running.runtime.settings.redis_url) as client:
        client.flushall()
    struck = time.monotonic()
    submit()
    return struck


def _absent(running: Stack, submit: Callable[[], None]) -> float:
    running.supervisor.stop(stack.VALKEY)
    end = time.monotonic() + ABSENT_S
    submit()
    time.sleep(max(0.0, end - time.monotonic()))
    running.supervisor.adopt(stack.VALKEY, running.valkey)
    return time.monotonic()


def _unheard(running: Stack, submit: Callable[[], None]) -> float:
    """Redis does what it is told, and its replies are lost on the way."""
    assert running.network is not None
    running.network.swallows = True
    end = time.monotonic() + UNHEARD_S
    submit()
    time.sleep(max(0.0, end - time.monotonic()))
    running.network.swallows = False
    return time.monotonic()


# What is done, with a booking over HTTP meanwhile; from when on the line is expected to go on.
FAULTS = {"killed": _killed, "flushed": _flushed, "absent": _absent, "unheard": _unheard}


def play(running: Stack, registrations: int, flow: Flow | None = None) -> dict[str, Any]:
    flow = flow or Flow(running)
    before = flow.expect(registrations)
    submits_s: list[float] = []
    recovery_s = {}
    for number, (name, fault) in enumerate(FAULTS.items(), 1):
        enough = before + number * registrations / (len(FAULTS) + 1)
        _until(running, partial(_registered, flow, enough))
        struck = fault(running, lambda: submits_s.append(flow.arrivals.submit(running.web_url)))
        flow.look_from_now_on()
        _until(running, flow.has_moved)
        recovery_s[name] = round(time.monotonic() - struck, 3)
        report(f"{name}: goes on after {recovery_s[name]} s")
    if running.network is None or not running.network.swallowed:
        raise SystemExit("no reply was swallowed")
    over_http = len(submits_s)
    flow.total += over_http
    flow.booked += over_http
    flow.finish()
    found = counting.count(running, flow.booked, flow.arrivals.accepted)
    return {
        "name": "redis",
        "registrations": registrations,
        "over_http": over_http,
        **found.as_dict(),
        "submit_s": round(max(submits_s), 3),
        "recovery_s": recovery_s,
        "load": load(),
    }


def _registered(flow: Flow, enough: float) -> bool:
    return flow.feed() >= enough


def _until(running: Stack, true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        running.supervisor.check()
        if time.monotonic() > end:
            raise SystemExit(f"nothing has moved for {PATIENCE_S:g} s")
        time.sleep(0.02)


def run(registrations: int) -> dict[str, Any]:
    with stack.started_anew(whole=True) as running:
        return play(running, registrations)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--registrations", type=count, default=2000)
    given = parser.parse_args()
    result = run(given.registrations)
    tell(result, json_alone=given.json)
    wrong = result["lost"] or result["doubled"] or result["out_of_order"]
    if wrong or max(result["recovery_s"].values()) > RECOVERY_BAR_S:
        sys.exit(1)


if __name__ == "__main__":
    main()
