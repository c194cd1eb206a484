"""Child processes that never outlive the process that started them.

Each child leads a session of its own, so Ctrl-C in the terminal reaches only us and we stop the children in order.
A guardian process (`app.core.guardian`) ends them if we are killed before we can.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.core import guardian

# The child waits for a line before it becomes the command: by then the guardian knows it, or, if we died in
# between, there is no line and the child ends. Without the gate a kill at that moment would leave it running.
_GATE = ["/bin/sh", "-c", 'read -r _ && exec "$@" </dev/null', "gate"]


@dataclass(frozen=True)
class Command:
    """What to run and how to end it. `user` (only for root) is the account to run it as."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] | None = None
    user: str | None = None
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0


class Child:
    """A running command. `pid` is the command's own, not that of a wrapper."""

    def __init__(self, command: Command, process: subprocess.Popen[bytes]) -> None:
        self.command = command
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; minus the signal's number if one ended it."""
        return self._process.poll()

    @property
    def alive(self) -> bool:
        return self.exit_status is None

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def stop(self) -> int:
        """Ask it to end, kill what is left after the grace time, and return the exit status."""
        self._process.send_signal(self.command.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.command.grace_s)
        return self.kill()

    def kill(self) -> int:
        """End it and every process of its session at once, and return the exit status."""
        guardian.kill_session(self.pid)
        status = self._process.wait()
        _guardian.tell({"forget": self.pid})
        return status


class _Guardian:
    """Our end of the guardian's pipe. Started with the first child, and again if somebody ended it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watched: dict[int, dict[str, float]] = {}
        self._fork_safe = False

    def tell(self, message: dict[str, float]) -> None:
        with self._lock:
            if "watch" in message:
                self._watched[int(message["watch"])] = message
            else:
                self._watched.pop(int(message["forget"]), None)
            try:
                self._write([message])
            except OSError:
                self._process = None
                self._write(list(self._watched.values()))

    def leave_in_fork(self) -> None:
        """A fork without exec would hold the pipe open and make us look alive."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
        self._lock = threading.Lock()
        self._process = None
        self._watched = {}

    def _write(self, messages: list[dict[str, float]]) -> None:
        if not self._fork_safe:
            os.register_at_fork(after_in_child=self.leave_in_fork)
            self._fork_safe = True
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", guardian.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,  # whoever reads ours waits for its end
                cwd="/",
                start_new_session=True,
            )
        assert self._process.stdin is not None
        for message in messages:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()


_guardian = _Guardian()


def spawn(command: Command, output: int) -> Child:
    """Start a command with its output and errors on the file descriptor `output`. Raises OSError if it cannot."""
    process = subprocess.Popen(
        [*_GATE, *command.argv],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=command.cwd,
        env=None if command.env is None else dict(command.env),
        start_new_session=True,
        user=command.user,
        group=pwd.getpwnam(command.user).pw_gid if command.user else None,
        extra_groups=[] if command.user else None,
    )
    _guardian.tell({"watch": process.pid, "signal": command.stop_signal, "grace_s": command.grace_s})
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(b"go\n")
    return Child(command, process)
