"""Starts named programs and servers, waits until they are healthy, restarts those that should not stay dead, and
stops all of them in reverse order on Ctrl-C, SIGTERM or an error. If the supervisor itself is killed, the guardian
of `app.core.children` ends them. It ends nothing that it did not start.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from app.core.local_server import EmbeddedServerError, LocalServer
from demo.log_files import LogFiles
from demo.services import Program, ProgramFailed, ProgramService, ServerService, Service, http_ok

__all__ = ["Program", "ProgramFailed", "Supervisor", "http_ok"]

_WATCH_S = 0.1
# A program that dies by itself this soon after its start this often in a row is broken: another restart helps nobody.
_SHORT_LIFE_S = 10.0
_SHORT_LIVES = 5


class Supervisor:
    """Use as a context manager in the main thread: leaving it stops everything, the last started first.

    SIGTERM and a closed terminal act like Ctrl-C (KeyboardInterrupt). A second one while stopping kills the rest.
    """

    def __init__(self, log_dir: Path) -> None:
        self.logs = LogFiles(log_dir)
        self._groups: list[list[Service]] = []
        self._lock = threading.RLock()
        self._leaving = threading.Event()
        self._hurry = threading.Event()
        self._broken: ProgramFailed | None = None
        self._handlers: dict[int, Any] = {}
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.getsignal(number)
            if self._handlers[number] is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, signal.default_int_handler)
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number in self._handlers:
            signal.signal(number, self._hasten)
        try:
            self.stop_all()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def start(self, *programs: Program) -> None:
        """Start programs side by side and return when all are healthy. They are stopped side by side, too."""
        services = [ProgramService(program, self.logs) for program in programs]
        self._add(services)
        for program, service in zip(programs, services, strict=True):
            self._wait_healthy(program, service)

    def adopt(self, name: str, server: LocalServer, *, restart: bool = True) -> str:
        """Start a server under this supervisor and return its URL."""
        self._add([ServerService(name, server, restart)])
        return server.url

    def pid(self, name: str) -> int | None:
        """The process id, or None while it does not run."""
        return self._service(name).pid

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to the program's own process, as a test of faults does, and return its process id."""
        pid = self.pid(name)
        if pid is None:
            raise ProgramFailed(f"{name} does not run")
        self.logs.note(f"sending {signal.Signals(number).name} to {name}")
        self._service(name).struck = True
        os.kill(pid, number)
        return pid

    def stop(self, name: str) -> None:
        """Stop one service and forget it."""
        service = self._service(name)
        with self._lock:
            for group in self._groups:
                if service in group:
                    group.remove(service)
        self._stop_group([service])

    def check(self) -> None:
        """Raise ProgramFailed if something that should run ended and was not restarted."""
        if self._broken:
            raise self._broken

    def wait(self) -> None:
        """Until Ctrl-C (KeyboardInterrupt) or a failure (ProgramFailed)."""
        while True:
            self.check()
            time.sleep(0.2)

    def stop_all(self) -> None:
        self._leaving.set()
        if self._watcher.is_alive():
            self._watcher.join()
        while self._groups:
            self._stop_group(self._groups.pop())
        self.logs.close()

    def _add(self, services: Sequence[Service]) -> None:
        with self._lock:
            taken = {service.name for group in self._groups for service in group}
            group: list[Service] = []
            self._groups.append(group)
            for service in services:
                if service.name in taken:
                    raise ValueError(f"{service.name} runs already")
                taken.add(service.name)
                group.append(service)
                self._launch(service)

    def _launch(self, service: Service) -> None:
        service.started_at, service.struck = time.monotonic(), False
        service.start()
        self.logs.note(f"started {service.name} as {service.pid}")

    def _service(self, name: str) -> Service:
        with self._lock:
            for group in self._groups:
                for service in group:
                    if service.name == name:
                        return service
        raise KeyError(name)

    def _wait_healthy(self, program: Program, service: Service) -> None:
        deadline = time.monotonic() + program.ready_timeout_s
        while program.healthy and not program.healthy():
            self.check()
            if time.monotonic() > deadline:
                late = f"{program.name} is not ready after {program.ready_timeout_s:g} s"
                raise ProgramFailed(f"{late}:\n{service.last_lines()}")
            time.sleep(0.05)
        self.check()

    def _stop_group(self, group: list[Service]) -> None:
        for service in group:
            service.ask_to_stop()
        for service in group:
            service.finish(self._hurry)
            self.logs.note(f"stopped {service.name}")

    def _watch(self) -> None:
        while not self._leaving.wait(_WATCH_S):
            with self._lock:
                ended = [service for group in self._groups for service in group if service.pid is None]
                for service in ended:
                    self._revive(service)

    def _revive(self, service: Service) -> None:
        short = time.monotonic() - service.started_at < _SHORT_LIFE_S and not service.struck
        service.short_lives = service.short_lives + 1 if short else 0
        if not service.restart or service.short_lives >= _SHORT_LIVES:
            self._give_up(f"{service.name} ended:\n{service.last_lines()}")
            return
        self.logs.note(f"{service.name} ended, starting it again")
        try:
            self._launch(service)
        except (OSError, EmbeddedServerError) as error:
            self._give_up(f"{service.name} does not start again: {error}")

    def _give_up(self, reason: str) -> None:
        if self._broken is None:
            self._broken = ProgramFailed(reason)
            self.logs.note(reason.splitlines()[0])

    def _hasten(self, _number: int, _frame: FrameType | None) -> None:
        print("stopping at once", file=sys.stderr)
        self._hurry.set()
