"""The front as it is started: granian before `asgi:app`, and callers who send badly."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.local_server import free_port
from app.web.intake import Intake
from demo.supervisor import Program, Supervisor, http_ok
from tests.servers import ROOT

THREADS = 2
STALLED = 16


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[int]:
    """The port of a front with few threads."""
    port = free_port()
    argv = (sys.executable, "-P", "-m", "granian", "--interface", "asginl", "--port", str(port), "asgi:app")
    env = {"REDIS_URL": redis_url, "WEB_THREADS": str(THREADS), "PYTHONPATH": str(ROOT)}
    logs: Path = tmp_path_factory.mktemp("front")
    with Supervisor(logs) as supervisor:
        supervisor.start(Program("web", argv, env=env, cwd=ROOT, healthy=http_ok(f"http://127.0.0.1:{port}/healthz")))
        yield port


def post(port: int, path: str, pieces: list[bytes], *, chunked: bool) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body: Any = iter(pieces) if chunked else b"".join(pieces)
    connection.request("POST", path, body, {"Content-Type": "application/json"}, encode_chunked=chunked)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("path", ["/api/v1/login/mini", "/exchange/v1/messages"])
def test_too_much_is_told_so_however_it_is_sent(front: int, path: str, chunked: bool) -> None:
    status, text = post(front, path, [b"x" * 65536] * 280, chunked=chunked)
    assert status == 413 and '"too_large"' in text


def test_a_chunked_body_arrives_in_whole(front: int) -> None:
    status, text = post(front, "/api/v1/login/mini", [b'{"app_id": "wx1', b'", "code":', b" 1}"], chunked=True)
    assert status == 422 and '"app_id"' in text and '"code"' in text


def test_who_stops_sending_keeps_nobody_waiting(front: int) -> None:
    begun = "POST /api/v1/login/mini HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    with ExitStack() as open_ones:
        stalled = [open_ones.enter_context(socket.create_connection(("127.0.0.1", front))) for _ in range(STALLED)]
        for one in stalled:
            one.sendall(begun.encode())
        time.sleep(0.3)
        for _ in range(2 * THREADS):
            assert httpx.get(f"http://127.0.0.1:{front}/healthz", timeout=5).status_code == 200
            assert post(front, "/api/v1/login/mini", [b"{}"], chunked=False)[0] == 422
        stalled[0].settimeout(25)
        assert stalled[0].recv(100).startswith(b"HTTP/1.1 408 ")


def echo(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("X-Seen", environ.get("HTTP_ZHIPEI_PARTNER", "-"))])
    asked = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']} {environ['CONTENT_LENGTH']} "
    return [asked.encode("latin-1"), environ["wsgi.input"].read()]


Message = dict[str, Any]
BEGUN: Message = {"type": "http.request", "body": b"12", "more_body": True}


async def ask(headers: list[tuple[bytes, bytes]], *said: Message) -> list[Message]:
    sent: list[Message] = []
    words = iter(said)

    async def receive() -> Message:
        return next(words)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/直", "query_string": b"a=1"}
    await Intake(echo, 1, 10)(scope | {"headers": headers}, receive, send)
    return sent


@pytest.mark.anyio
async def test_the_environment_is_what_was_sent() -> None:
    headers = [(b"zhipei-partner", b"H1"), (b"zhipei_partner", b"H2"), (b"transfer-encoding", b"chunked")]
    start, body = await ask(headers, BEGUN, {"type": "http.request", "body": b"3"})
    assert (start["status"], start["headers"][0]) == (200, (b"x-seen", b"H1"))
    assert body["body"].decode() == "/直?a=1 3 123"


@pytest.mark.anyio
async def test_who_leaves_gets_no_answer() -> None:
    assert await ask([], BEGUN, {"type": "http.disconnect"}) == []
