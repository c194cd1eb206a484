"""A client that costs next to nothing: prebuilt requests over raw sockets, one at a time on each connection."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

SILENCE_S = 60.0


@dataclass
class Burst:
    """What came of a burst: bodies by their place in the request list, and the client's own share of a processor."""

    seconds: float = 0.0
    client_cpu_s: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    answers: dict[int, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def client_share(self) -> float:
        return self.client_cpu_s / self.seconds

    @property
    def rate(self) -> float:
        return len(self.answers) / self.seconds


class _Line:
    """One kept connection and the answer that is coming in on it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.asked = -1

    def ask(self, number: int, request: bytes) -> None:
        self.asked, self.buffer = number, b""
        self.socket.sendall(request)

    def hear(self) -> tuple[int, bytes] | None:
        """(status, body) once it is whole. ConnectionError if the server has hung up."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError
        self.buffer += piece
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        at = lower.index(b"content-length:") + 15
        if len(body) < int(lower[at:].split(b"\r\n", 1)[0]):
            return None
        return int(head[9:12]), body


def burst(address: tuple[str, int], requests: Sequence[bytes], connections: int) -> Burst:
    """Send all requests, each connection its next one as soon as it has an answer. What the server drops has no
    answer; TimeoutError after a minute of silence."""
    found, waiting = Burst(), iter(enumerate(requests))
    lines = [_Line(address) for _ in range(connections)]
    cpu_s, begin_s = time.process_time(), time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            _next(selector, line, waiting)
        while selector.get_map():
            ready = selector.select(SILENCE_S)
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                _take(selector, key.data, waiting, found)
    found.seconds, found.client_cpu_s = time.perf_counter() - begin_s, time.process_time() - cpu_s
    return found


def _take(selector: selectors.BaseSelector, line: _Line, waiting: Iterator[tuple[int, bytes]], found: Burst) -> None:
    try:
        answer = line.hear()
    except OSError:
        selector.unregister(line.socket)
        line.socket.close()
        return
    if answer is not None:
        found.statuses[answer[0]] += 1
        found.answers[line.asked] = answer
        _next(selector, line, waiting)


def _next(selector: selectors.BaseSelector, line: _Line, waiting: Iterator[tuple[int, bytes]]) -> None:
    number, request = next(waiting, (-1, b""))
    if number >= 0:
        line.ask(number, request)
    else:
        selector.unregister(line.socket)
        line.socket.close()


def post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A whole request as it goes over the wire."""
    told = {"Host": "bench", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body
