"""The benchmark of booking in little: sold exactly, nothing lost, refusals by their codes."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from bench import booking, raw_http
from bench.booking import Options


def test_a_burst_sells_every_place_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fresh_redis_url: str, empty_database_url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    result = booking.run(Options(requests=200, places=20, rounds=1), tmp_path / "servers.log")
    assert (result["sold"], result["lost"], result["refusals"]) == (20, 0, {"409 slot_full": 180})
    assert result["baseline_sold"] > 20, "the test bites: looking first and booking then sells places twice"
    assert result["ratio_to_floor"] > 0 and result["client_share"] > 0


def test_what_a_server_drops_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", b""):
                caller = server.accept()[0]
                caller.recv(1000)
                caller.sendall(answer)
                caller.close()

        threading.Thread(target=serve, daemon=True).start()
        found = raw_http.burst(server.getsockname(), [raw_http.post("/", {}, b"")] * 2, connections=2)
    assert found.statuses == {201: 1} and list(found.answers.values()) == [(201, b"{}")]
