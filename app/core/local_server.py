"""One server program that we run from a directory of ours, on a free loopback port with a random password.

A directory has one owner at a time. Whatever an earlier owner left running on it is stopped first, so `start` is
safe after any crash; what we start ends with us, also when we are killed (`app.core.children`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from app.core import guardian, places
from app.core.children import Child, Command, spawn


class EmbeddedServerError(RuntimeError):
    """The server cannot start. `in_use`: another living process owns the directory."""

    def __init__(self, message: str, *, in_use: bool = False) -> None:
        super().__init__(message)
        self.in_use = in_use


class LocalServer(ABC):
    """What PostgreSQL and Valkey have in common: one owner, one port, one password, one log."""

    program_name: str
    ready_timeout_s = 60.0
    _stop_signal: int = signal.SIGTERM

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._child: Child | None = None
        self._claim: int | None = None

    @property
    def place(self) -> Path:
        """Where the files really are: `data_dir`, or for root its stand-in in /var/tmp."""
        return places.private_place(self.data_dir)

    @property
    def log_path(self) -> Path:
        return self.place / f"{self.program_name}.log"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.alive else None

    @property
    def port(self) -> int:
        return int((self.place / "port").read_text())

    @property
    def password(self) -> str:
        return (self.place / "password").read_text()

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients reach it, with the password."""

    def start(self) -> str:
        """Start it unless it runs, wait until it answers, and return its URL. A restart keeps the port if it can."""
        if self.pid:
            return self.url
        if self._child:
            self._child.kill()
        self._take_claim()
        try:
            self._start_owned()
        except BaseException:
            self._drop_claim()
            raise
        return self.url

    def stop(self) -> None:
        """Stop it, finishing what it has to write. The data stays."""
        if self._child:
            self._child.stop()
            self._child = None
        self._drop_claim()

    def remove(self) -> None:
        """Stop it and delete all of its data. Raises EmbeddedServerError if another process owns it."""
        self.stop()
        self._take_claim()
        self._stop_orphans()
        shutil.rmtree(self.place)
        self._drop_claim()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self) -> None:
        """Make what the program needs before its first start: its data and its configuration."""

    @abstractmethod
    def _command(self) -> Command:
        """What to run, on the port that was chosen."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it takes commands."""

    @abstractmethod
    def _working_directory(self) -> Path:
        """The directory in which the server runs, by which an orphan of ours is recognised."""

    def _start_owned(self) -> None:
        self._stop_orphans()
        if not (self.place / "password").exists():
            write_private(self.place / "password", secrets.token_urlsafe(24))
        self._prepare()
        for port in self._candidate_ports():
            (self.place / "port").write_text(str(port))
            if self._run():
                return
        raise EmbeddedServerError(f"{self.program_name} does not start, see {self.log_path}:\n{self._log_tail()}")

    def _take_claim(self) -> None:
        if self._claim is not None:
            return
        claim = os.open(self.place / "claim", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(claim)
            raise EmbeddedServerError(f"{self.data_dir} is in use by another process", in_use=True) from None
        self._claim = claim

    def _drop_claim(self) -> None:
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _stop_orphans(self) -> None:
        """End servers that a killed owner left on this directory, the oldest (PostgreSQL's postmaster) first."""
        orphans = _processes_in(self._working_directory(), self.program_name)
        for process in sorted(orphans, key=lambda one: one.create_time()):
            guardian.end(process, self._stop_signal, 20.0)

    def _candidate_ports(self) -> list[int]:
        last = [self.port] if (self.place / "port").exists() else []
        return [port for port in last if is_free(port)] + [free_port() for _ in range(3)]

    def _run(self) -> bool:
        """Whether the server came up; False also when another process took the port in the meantime."""
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._child = spawn(self._command(), log)
        finally:
            os.close(log)
        deadline = time.monotonic() + self.ready_timeout_s
        while self._child.alive and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        self._child.kill()
        self._child = None
        return False

    def _log_tail(self) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-10:])


def write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _processes_in(directory: Path, program_name: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == program_name and process.cwd() == str(directory.resolve()):
                found.append(process)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
