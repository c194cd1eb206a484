"""What a person reads of the day fits a narrow terminal and hides nothing that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.day.script import STAGES as PLAYED
from demo.screen import STAGES, Screen

RESULT = {
    "patients": 8,
    "claims": {"submitted": 9, "paid": 5},
    "payout_fen": 1234071,
    "reconciliation": {"111": 11, "found_all": True},
    "invariants": {"inv_01": "held", "inv_02": "2 rows [x] are wrong"},
    "seconds": {"bind": 1.5, "night": 2.0},
}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def test_every_stage_is_told_in_words() -> None:
    assert set(STAGES) == {name for name, _ in PLAYED}


def test_the_summary_is_in_words_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().summary(RESULT, [])
    shown = capsys.readouterr().err.replace("\N{NO-BREAK SPACE}", " ")
    for text in ("submitted: 9, paid: 5", "12,340.71", "found all: yes", "1 of 2 held", "3.5 in all", "came out"):
        assert text in shown
    assert max(map(len, shown.splitlines())) <= 60


def test_what_is_wrong_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().summary(RESULT, ["inv_02: 2 rows [x] are wrong"])
    shown = capsys.readouterr().err
    assert "BROKEN inv_02: 2 rows [x] are wrong" in shown and "came out" not in shown


def test_a_path_is_not_broken_in_two(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    logs = tmp_path / ("long" * 30)
    Screen().problem("it [does] not start", logs)
    assert f"in {logs}." in capsys.readouterr().err
