"""What the programs print: a file for each, and `all.log` with time and name before every line."""

from __future__ import annotations

import os
import selectors
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

_CHUNK = 65536


class LogFiles:
    """One thread copies the output of all programs; it ends by itself when the last of them does."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._selector = selectors.DefaultSelector()
        self._all = (directory / "all.log").open("wb", buffering=0)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._copy, name="log-files", daemon=True)
        self._thread.start()

    def path(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def pipe_for(self, name: str) -> int:
        """A file descriptor to write to. The caller closes it once the program has its own copy."""
        reader, writer = os.pipe()
        self._selector.register(reader, selectors.EVENT_READ, _Stream(name, self.path(name).open("ab", buffering=0)))
        return writer

    def tail(self, name: str, lines: int = 15) -> str:
        path = self.path(name)
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def note(self, text: str) -> None:
        """A line of the supervisor's own."""
        self._all.write(_prefixed("supervisor", text.encode()))

    def close(self) -> None:
        """Copy what is left of programs that ended, then stop."""
        self._closing.set()
        self._thread.join()
        self._all.close()

    def _copy(self) -> None:
        while True:
            ready = self._selector.select(timeout=0.1)
            for key, _ in ready:
                self._read(key.fd, key.data)
            if self._closing.is_set() and not ready:
                break
        for key in list(self._selector.get_map().values()):
            self._finish(key.fd, key.data)
        self._selector.close()

    def _read(self, reader: int, stream: _Stream) -> None:
        chunk = os.read(reader, _CHUNK)
        if not chunk:
            self._finish(reader, stream)
            return
        stream.file.write(chunk)
        *lines, stream.rest = (stream.rest + chunk).split(b"\n")
        self._all.write(b"".join(_prefixed(stream.name, line) for line in lines))

    def _finish(self, reader: int, stream: _Stream) -> None:
        self._selector.unregister(reader)
        os.close(reader)
        stream.file.close()
        if stream.rest:
            self._all.write(_prefixed(stream.name, stream.rest))


class _Stream:
    """One program's output; `rest` is the start of a line whose end has not come yet."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name, self.file, self.rest = name, file, b""


def _prefixed(name: str, line: bytes) -> bytes:
    return f"{datetime.now(UTC):%H:%M:%S.%f} {name:<16} | ".encode() + line + b"\n"
