"""The set-up with a Python that only says what pip would say."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT

PYTHON = """#!/bin/sh
case "$*" in
*"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*"-m pip"*) cat said ;;
--version) echo "Python 3.12.0" ;;
esac
"""
PACKAGES = 50
FETCHED = "Collecting p{n}==1 (from -r requirements.txt (line {n}))\n  Using cached p{n}-1-py3-none-any.whl (1 kB)\n"
LOCAL = "Processing /wheels/p{n}-1-py3-none-any.whl (from -r requirements.txt (line {n}))\n"
HAD = "Requirement already satisfied: p{n}==1 in ./lib (from -r requirements.txt (line {n})) (1)\n"


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A place that everybody may look into, whoever runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="zhipei-setup-", dir="/var/tmp"))
    path.chmod(0o755)
    (path / "script").mkdir()
    shutil.copy(ROOT / "script" / "setup", path / "script" / "setup")
    (path / "requirements.txt").write_text("".join(f"p{n}==1\n" for n in range(PACKAGES)))
    (path / "python3.12").write_text(PYTHON)
    (path / "python3.12").chmod(0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


def set_up(checkout: Path, says: str, **how: str) -> tuple[int, str]:
    if says:
        (checkout / "said").write_text(says)
    environment = {"PATH": os.environ["PATH"], "PYTHON": str(checkout / "python3.12")}
    argv = [str(checkout / "script" / "setup")]
    ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("line", [FETCHED, LOCAL, HAD], ids=["fetched", "local", "there already"])
def test_each_package_counts_once_wherever_it_comes_from(checkout: Path, line: str) -> None:
    says = "".join(line.format(n=n) for n in range(PACKAGES))
    says += "Requirement already satisfied: p1 in ./lib (from p2==1->-r requirements.txt (line 2)) (1)\n"
    status, told = set_up(checkout, says + "Installing collected packages: p0, p1\n")
    assert status == 0
    assert [row for row in told.splitlines() if " of " in row and "installing" not in row] == [
        "setup: 25 of 50 packages",
        "setup: 50 of 50 packages",
    ]


def test_what_is_for_another_system_is_not_waited_for(checkout: Path) -> None:
    ignored = "".join(
        f"Ignoring p{n}: markers 'sys_platform == \"win32\"' don't match your environment\n" for n in "abcde"
    )
    status, told = set_up(checkout, ignored + "".join(LOCAL.format(n=n) for n in range(45)))
    assert status == 0 and "setup: 25 of 45 packages" in told


def test_in_a_checkout_of_somebody_else_one_line_says_what_to_do(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "file").touch()
    (checkout / ".venv").chmod(0o555)
    checkout.chmod(0o555)
    status, told = set_up(checkout, "", **({"user": "nobody"} if os.geteuid() == 0 else {}))
    (checkout / ".venv").chmod(0o755)
    assert status == 1 and len(told.splitlines()) == 1, told
    assert str(checkout) in told and "cp -R" in told
    assert (checkout / ".venv" / "file").exists()
