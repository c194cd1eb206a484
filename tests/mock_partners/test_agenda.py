"""Items are done in time, survive a restart, and one that fails is tried again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from mock_partners import agenda
from mock_partners.agenda import Agenda
from mock_partners.memory import Memory, Table
from tests.mock_partners.wire import wait_until


def test_items_are_done_in_order_of_their_time() -> None:
    done: list[str] = []
    work = Agenda(Table(Memory(None), "a"), lambda key, _: done.append(key))
    work.put("second", {}, in_s=0.1)
    work.put("first", {}, in_s=0.05)
    work.start()
    wait_until(work.idle)
    work.stop()
    assert done == ["first", "second"]


def test_an_item_comes_again_when_it_says_so_and_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda, "RETRY_S", 0.02)
    calls: list[float] = []

    def handle(key: str, body: dict[str, Any]) -> float | None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise RuntimeError("once")
        return 0.05 if len(calls) == 2 else None

    work = Agenda(Table(Memory(None), "a"), handle)
    work.start()
    work.put("k", {})
    wait_until(work.idle)
    work.stop()
    assert len(calls) == 3
    assert calls[2] - calls[1] >= 0.05


def test_what_was_not_done_is_done_after_a_restart(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.sqlite")
    first = Agenda(Table(memory, "a"), lambda *_: None)
    first.put("late", {"n": 1}, in_s=0.05)
    first.put("dropped", {"n": 2}, in_s=0.05)
    first.cancel("dropped")
    memory.close()
    seen: list[tuple[str, int]] = []
    second = Agenda(Table(Memory(tmp_path / "m.sqlite"), "a"), lambda key, body: seen.append((key, body["n"])))
    second.start()
    wait_until(second.idle)
    second.stop()
    assert seen == [("late", 1)]


def test_an_item_put_off_waits_for_its_new_time() -> None:
    done: list[float] = []
    work = Agenda(Table(Memory(None), "a"), lambda *_: done.append(time.monotonic()))
    work.start()
    begun = time.monotonic()
    work.put("k", {}, in_s=0.02)
    work.put("k", {}, in_s=0.12)
    wait_until(work.idle)
    work.stop()
    assert len(done) == 1
    assert done[0] - begun >= 0.11
