from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.core.children import Child, Command, spawn
from app.core.guardian import has_ended
from tests.servers import ROOT


def eventually(condition: Callable[[], bool], timeout_s: float = 30.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def run(code: str, cwd: Path, **options: float) -> Child:
    log = os.open(cwd / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        return spawn(Command((sys.executable, "-Iuc", code), cwd, **options), log)  # type: ignore[arg-type]
    finally:
        os.close(log)


def test_the_process_id_is_the_commands_own_and_its_input_is_empty(tmp_path: Path) -> None:
    child = run("import os, sys; print(os.getpid(), os.getsid(0), repr(sys.stdin.read()))", tmp_path)
    assert eventually(lambda: not child.alive)
    assert (tmp_path / "log").read_text() == f"{child.pid} {child.pid} ''\n"
    assert child.kill() == 0


def test_stop_asks_first_and_returns_what_ended_it(tmp_path: Path) -> None:
    code = "import signal, sys, time; signal.signal(15, lambda *a: sys.exit(7)); print('up'); time.sleep(60)"
    child = run(code, tmp_path)
    assert eventually(lambda: (tmp_path / "log").read_text() == "up\n")
    assert child.stop() == 7


def test_stop_kills_when_the_grace_time_is_over(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    child = run(code, tmp_path, grace_s=0.2)
    assert eventually(lambda: (tmp_path / "log").read_text() == "up\n")
    assert child.stop() == -signal.SIGKILL


def test_an_unknown_program_ends_with_a_reason(tmp_path: Path) -> None:
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    child = spawn(Command(("/no/such/program",), tmp_path), log)
    os.close(log)
    assert eventually(lambda: not child.alive)
    assert child.exit_status == 127
    assert "/no/such/program" in (tmp_path / "log").read_text()


# A parent that dies by SIGKILL in circumstances that could hide its death from the guardian.
PARENT = """
    import os, signal, sys, time
    from pathlib import Path
    import psutil
    from app.core.children import Command, spawn
    child = spawn(Command((sys.executable, "-Ic", "import time; time.sleep(60)"), Path("/")), 2)
    {circumstance}
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
FORKED = "if os.fork() == 0: os.close(1), time.sleep(60), os._exit(0)"
GUARDIAN_REPLACED = (
    "[(p.kill(), p.wait()) for p in psutil.Process().children() if p.pid != child.pid];"
    "spawn(Command(('/bin/true',), Path('/')), 2)"
)


@pytest.mark.parametrize("circumstance", ["pass", FORKED, GUARDIAN_REPLACED], ids=["plain", "forked", "new guardian"])
def test_a_child_does_not_outlive_a_killed_parent(circumstance: str) -> None:
    code = textwrap.dedent(PARENT).format(circumstance=circumstance)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL
    try:
        child = psutil.Process(int(done.stdout))
    except psutil.NoSuchProcess:
        return
    assert eventually(lambda: has_ended(child))
