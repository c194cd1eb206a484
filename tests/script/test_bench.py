"""`script/bench NAME --help` in a fresh checkout: it needs nothing, so nothing is installed for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import ROOT

SCRIPTS = {"bench": "booking", "chaos": "kills"}
SET_UP = '#!/bin/sh\necho "setup: installing" >&2\nmkdir -p .venv && touch .venv/requirements-dev.txt.done\nexit 3\n'


@pytest.fixture(params=SCRIPTS)
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One of the two in a checkout whose set-up fails."""
    (tmp_path / "script").mkdir()
    copy = tmp_path / "script" / request.param
    shutil.copy(ROOT / "script" / request.param, copy)
    (tmp_path / "script" / "setup").write_text(SET_UP)
    (tmp_path / "script" / "setup").chmod(0o755)
    shutil.copytree(ROOT / request.param, tmp_path / request.param, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def ask(script: Path, *argv: str) -> tuple[int, str, str]:
    ended = subprocess.run([str(script), *argv], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_installs_nothing(script: Path, asked: str) -> None:
    name = SCRIPTS[script.name]
    status, told, aside = ask(script, name, "--json", asked)
    assert (status, aside) == (0, "")
    assert told.startswith(f"`script/{script.name} {name} [") and '"""' not in told and "import" not in told
    assert "./script/setup --dev" in told.splitlines()[-1]


def test_what_is_to_run_is_set_up_first(script: Path) -> None:
    assert ask(script, SCRIPTS[script.name], "--json") == (3, "", "setup: installing\n")


def test_what_there_is_to_run_is_said_without_a_set_up(script: Path) -> None:
    status, told, aside = ask(script, "--help")
    assert (status, aside) == (0, "") and f"\n  {SCRIPTS[script.name]}: " in told
    assert ask(script, "nothing")[0] == 64
