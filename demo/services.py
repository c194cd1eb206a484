"""What a supervisor looks after: programs started by us, and embedded servers that start and stop themselves."""

from __future__ import annotations

import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.core.children import Child, Command, spawn
from app.core.local_server import LocalServer
from demo.log_files import LogFiles


class ProgramFailed(RuntimeError):
    """A program did not start, or ended although it should run; the message ends with its last lines."""


@dataclass(frozen=True)
class Program:
    """What to start. `env` goes over the supervisor's own; `healthy` is asked until it says yes.

    `restart` starts it again whenever it ends before it was told to.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = field(default_factory=Path.cwd)
    healthy: Callable[[], bool] | None = None
    ready_timeout_s: float = 30.0
    restart: bool = False
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0


def http_ok(url: str) -> Callable[[], bool]:
    """A health check: a GET that is answered with 2xx."""

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=2.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    return ask


class Service(ABC):
    """Something that runs under a name."""

    name: str
    restart: bool
    started_at = 0.0
    short_lives = 0
    struck = False  # we sent it a signal ourselves, so its end says nothing about it

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """None when it does not run."""

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def ask_to_stop(self) -> None: ...

    @abstractmethod
    def finish(self, hurry: threading.Event) -> None:
        """Wait for the end that was asked for; force it when the grace time is over, or at once in a hurry."""

    @abstractmethod
    def last_lines(self) -> str: ...


class ProgramService(Service):
    def __init__(self, program: Program, logs: LogFiles) -> None:
        self.name, self.restart = program.name, program.restart
        self.program = program
        self._logs = logs
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.alive else None

    def start(self) -> None:
        if self._child:
            self._child.kill()  # what the dead one left in its session would work beside the new one
        program = self.program
        command = Command(
            argv=program.argv,
            cwd=program.cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **program.env},
            stop_signal=program.stop_signal,
            grace_s=program.grace_s,
        )
        output = self._logs.pipe_for(self.name)
        try:
            self._child = spawn(command, output)
        finally:
            os.close(output)

    def ask_to_stop(self) -> None:
        if self._child:
            self._child.send_signal(self.program.stop_signal)

    def finish(self, hurry: threading.Event) -> None:
        if self._child is None:
            return
        deadline = time.monotonic() + self.program.grace_s
        while self._child.alive and time.monotonic() < deadline and not hurry.wait(0.01):
            pass
        self._child.kill()

    def last_lines(self) -> str:
        return self._logs.tail(self.name)


class ServerService(Service):
    def __init__(self, name: str, server: LocalServer, restart: bool) -> None:
        self.name, self.restart = name, restart
        self.server = server

    @property
    def pid(self) -> int | None:
        return self.server.pid

    def start(self) -> None:
        self.server.start()

    def ask_to_stop(self) -> None:
        """Its own stop does both: a server stands alone in its group, so nothing is won by asking early."""

    def finish(self, hurry: threading.Event) -> None:
        self.server.stop()

    def last_lines(self) -> str:
        return f"see {self.server.log_path}"
