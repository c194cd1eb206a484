"""What the shell is told when somebody presses Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo import __main__ as demo


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Everything runs, without being started; Ctrl-C comes as soon as somebody waits for it."""
    running = SimpleNamespace(supervisor=SimpleNamespace(wait=_interrupt))

    @contextmanager
    def started(*_: Any) -> Iterator[SimpleNamespace]:
        yield running

    monkeypatch.setattr(demo.stacks, "started", started)
    monkeypatch.setattr(demo.Screen, "urls", lambda *_: None)
    return running


@pytest.mark.parametrize("status", [demo.EXIT_OK, demo.EXIT_BROKEN])
def test_after_the_day_ctrl_c_says_what_the_day_has_shown(
    stack: SimpleNamespace, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "_day", lambda *_: status)
    assert demo.main(["--data", str(tmp_path)]) == status


def test_a_day_that_was_cut_off_has_not_held(
    stack: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "_day", _interrupt)
    assert demo.main(["--once", "--data", str(tmp_path)]) == 130
