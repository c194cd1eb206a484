"""The command lines of benchmarks and chaos: a number of nothing is refused before anything starts."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import NoReturn

import pytest

from bench import booking, ingest, reconciliation, recovery, registration, trial_quota
from chaos import callbacks, kills, redis

COUNTS: dict[ModuleType, list[str]] = {
    booking: ["requests", "places", "rounds"],
    ingest: ["rows", "rounds"],
    reconciliation: ["rows", "rounds"],
    recovery: ["kills"],
    registration: ["entries", "through", "rounds"],
    trial_quota: ["rounds"],
    callbacks: ["claims"],
    kills: ["kills", "registrations"],
    redis: ["registrations"],
}


@pytest.mark.parametrize("number", ["0", "-1", "x"])
@pytest.mark.parametrize(("module", "option"), [(module, one) for module in COUNTS for one in COUNTS[module]])
def test_a_number_of_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: ModuleType, option: str, number: str
) -> None:
    def started(*_: object) -> NoReturn:
        raise AssertionError("it has begun")

    monkeypatch.setattr(module, "run", started)
    monkeypatch.setattr(sys, "argv", [module.__name__, f"--{option}", number])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 2 and f"--{option}" in capsys.readouterr().err
