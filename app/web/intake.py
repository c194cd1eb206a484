"""ASGI outside, WSGI inside: a request costs a thread only once it is here in whole.

A WSGI server gives a request its thread when the headers are there, and whoever then stops sending keeps it: as many
such callers as there are threads, and nobody else is served. Here the event loop does the waiting.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, RequestTimeout
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

PIECE_TIMEOUT_S = 10.0
# A batch of 8 MB over a hospital's line of 1 Mbit/s takes 64 seconds.
BODY_TIMEOUT_S = 120.0
_IN_MEMORY_BYTES = 64 * 1024
_PATIENCE = 2
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Disconnected(Exception):
    """The caller left before the body was whole."""


class _Lost(io.RawIOBase):
    """In place of a body that did not come: reading it raises what went wrong, and the routes answer in their shape."""

    def __init__(self, why: HTTPException) -> None:
        self._why = why

    def read(self, size: int = -1, /) -> bytes:
        raise self._why

    def readinto(self, buffer: Any, /) -> int:
        raise self._why


@dataclass
class Intake:
    """An ASGI application that serves a WSGI application with `threads` threads and bodies of `max_bytes` at most.

    A body that takes longer than `piece_timeout_s` from piece to piece or `body_timeout_s` in all is given up (408).
    """

    wsgi: WSGIApplication
    threads: int
    max_bytes: int
    piece_timeout_s: float = PIECE_TIMEOUT_S
    body_timeout_s: float = BODY_TIMEOUT_S
    _pool: ThreadPoolExecutor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served")
        environ = _environ(scope)
        with SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
            try:
                await self._take_in(receive, environ, body)
            except Disconnected:
                return
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, environ)
        pieces, status, told = answer
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told]
        await send({"type": "http.response.start", "status": int(status.partition(" ")[0]), "headers": headers})
        await send({"type": "http.response.body", "body": b"".join(pieces)})

    async def _take_in(self, receive: Receive, environ: WSGIEnvironment, body: IO[bytes]) -> None:
        """Put the body, or what became of it, into the environment. Raises Disconnected."""
        try:
            length = await self._read(receive, body)
        except TimeoutError:
            environ["wsgi.input"] = _Lost(RequestTimeout())
            return
        if length > self.max_bytes:
            environ["wsgi.input"] = _Lost(RequestEntityTooLarge())
            return
        body.seek(0)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = body, str(length)

    async def _read(self, receive: Receive, body: IO[bytes]) -> int:
        """How long the body is. What is too long is not kept but read on for a while: a caller whose words are left
        unread sees a broken connection instead of the answer. Raises TimeoutError, Disconnected."""
        clock = asyncio.get_running_loop().time
        end, length, more = clock() + self.body_timeout_s, 0, True
        async with asyncio.timeout(self.piece_timeout_s) as limit:
            while more and length <= _PATIENCE * self.max_bytes:
                piece = await receive()
                if piece["type"] == "http.disconnect":
                    raise Disconnected
                limit.reschedule(min(end, clock() + self.piece_timeout_s))
                length += len(piece.get("body", b""))
                if length <= self.max_bytes:
                    body.write(piece.get("body", b""))
                more = piece.get("more_body", False)
        return length

    def _answer(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, Headers]:
        """Body, status line and headers, with nothing left to compute."""
        return run_wsgi_app(self.wsgi, environ, buffered=True)


def _environ(scope: Scope) -> WSGIEnvironment:
    """PEP 3333's environment of an ASGI scope, still without a body."""
    host, port = scope.get("server") or ("", 0)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("", 0))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").upper(), raw_value.decode("latin-1")
        if "_" in name or name == "TRANSFER-ENCODING":
            continue  # an underscore could pass for a hyphen, and what is here in whole is no longer chunked
        key = name.replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ
