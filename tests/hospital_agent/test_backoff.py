"""Trying again ends with success, after enough tries, or when the agent stops."""

from __future__ import annotations

import threading
import time

import pytest

from hospital_agent import backoff
from hospital_agent.errors import Refused, Temporary


def failing(times: int, error: Exception) -> list[int]:
    """Tries that fail so many times; the list counts them."""
    tries: list[int] = []

    def attempt() -> None:
        tries.append(len(tries))
        if len(tries) <= times:
            raise error

    for one in backoff.retrying(threading.Event(), attempts=5):
        with one:
            attempt()
    return tries


def test_a_temporary_failure_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "_jitter", lambda _: 0.0)
    assert len(failing(2, Temporary("x"))) == 3


def test_a_refusal_is_not() -> None:
    with pytest.raises(Refused):
        failing(1, Refused("no"))


def test_it_ends_with_the_last_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "_jitter", lambda _: 0.0)
    with pytest.raises(Temporary, match="x"):
        failing(9, Temporary("x"))


def test_a_stop_ends_the_waiting_at_once() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    started_s = time.monotonic()
    with pytest.raises(Temporary):
        for one in backoff.retrying(stop):
            with one:
                raise Temporary("x", retry_after_s=300)
    assert time.monotonic() - started_s < 100
