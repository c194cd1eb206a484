"""The frame's faults: how often, what is done, what is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from flask import Response, jsonify

from mock_partners.double import Double
from mock_partners.latency import Latency
from tests.mock_partners.wire import wait_until


class Counter(Double):
    def __init__(self, state_dir: Path | None = None) -> None:
        super().__init__("counter", state_dir=state_dir)
        self.done = 0

        @self.app.post("/count")
        def count() -> Response:
            self.done += 1
            return jsonify(done=self.done)


@pytest.fixture
def counter() -> Iterator[Counter]:
    double = Counter()
    double.start()
    yield double
    double.stop()


def count(counter: Counter) -> httpx.Response:
    return httpx.post(f"{counter.url}/count", content=b"text")


def test_late_work_is_done_once_for_each_call_and_meets_no_fault_again(counter: Counter) -> None:
    counter.fail("/count", status=504, late=True, delay_s=2.0, times=-1)
    assert [count(counter).status_code for _ in range(2)] == [504, 504]
    assert counter.done == 0
    wait_until(lambda: counter.done == 2)
    wait_until(lambda: len(counter.journal) == 4)
    assert [entry["status"] for entry in counter.journal] == [504, 504, 200, 200]


def test_dropped_before_is_not_done_and_dropped_after_is(counter: Counter) -> None:
    for when, done in (("before", 0), ("after", 1)):
        counter.fail("/count", drop=when)
        with pytest.raises(httpx.TransportError):
            count(counter)
        assert counter.done == done
    assert [entry["dropped"] for entry in counter.journal] == ["before", "after"]


def test_faults_match_method_and_text_and_run_out(counter: Counter) -> None:
    counter.fail("/count", method="GET", status=500)
    counter.fail("/count", contains="other", status=501)
    counter.fail("/count", contains="text", status=503, body={"code": "x"}, headers={"Retry-After": "1"}, times=1)
    answer = count(counter)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()) == (503, "1", {"code": "x"})
    assert count(counter).status_code == 200


def test_a_table_outlives_its_double(tmp_path: Path) -> None:
    with Counter(tmp_path) as first:
        first.table("things").put("a", {"n": 1})
        first.table("things")["b"] = {"n": 2}
    with Counter(tmp_path) as second:
        assert dict(second.table("things").items()) == {"a": {"n": 1}, "b": {"n": 2}}
        del second.table("things")["a"]
    with Counter(tmp_path) as third:
        assert list(third.table("things")) == ["b"]


def test_the_clock_is_moved_over_http(counter: Counter) -> None:
    before = counter.clock.now()
    httpx.post(f"{counter.url}/__mock__/clock", json={"advance_s": 3600})
    assert (counter.clock.now() - before).total_seconds() >= 3600


def test_it_thinks_as_long_as_it_was_told(counter: Counter) -> None:
    httpx.post(f"{counter.url}/__mock__/paces", json={"path": "^/count", "latency": {"kind": "fixed", "s": 1.5}})
    for least_s, most_s in ((1.5, 30.0), (0.0, 1.5)):
        started_s = time.monotonic()
        assert count(counter).status_code == 200
        assert least_s <= time.monotonic() - started_s < most_s
        counter.pace("^/count", None)


def test_a_log_normal_pace_is_repeatable() -> None:
    said = {"kind": "lognormal", "median_s": 0.3, "sigma": 1.0, "seed": 7, "max_s": 8}
    first, again = Latency(said), Latency(said)
    drawn = [first.next_s() for _ in range(200)]
    assert drawn == [again.next_s() for _ in range(200)]
    assert 0.2 < sorted(drawn)[100] < 0.45 and max(drawn) <= 8


def test_arrivals_are_noted_in_their_order_whatever_the_threads_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counter, "in_order", True)
    with Counter() as counter, ThreadPoolExecutor(8) as pool:
        counter.pace("/count", {"kind": "lognormal", "median_s": 0.02, "sigma": 1.0})
        calls = []
        for number in range(16):
            left = threading.Event()
            calls.append(pool.submit(_send, counter.url, number, left))
            assert left.wait(30)
        assert all(call.result().status_code == 200 for call in calls)
    rows = sorted(counter.journal, key=lambda row: row["received_at"])
    assert [int(row["body"]) for row in rows] == list(range(16))


def _send(url: str, number: int, left: threading.Event) -> httpx.Response:
    def trace(event: str, _: object) -> None:
        if event.endswith("send_request_body.complete"):
            left.set()

    with httpx.Client(timeout=30) as client:
        return client.post(f"{url}/count", content=str(number).encode(), extensions={"trace": trace})
