"""granian with one of our ASGI applications, as the product is served, and as its floors are: as many processes as
there are processors."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from app.core.children import Command, spawn
from app.core.local_server import free_port
from bench.ground import ROOT
from demo.web_server import granian


@contextmanager
def served(app: str, environment: dict[str, str], log: Path) -> Iterator[tuple[str, int]]:
    """Its host and port while it runs; what it says goes into `log`."""
    port = free_port()
    argv = (sys.executable, "-P", "-m", "granian", *granian(port, app, processes=os.cpu_count() or 1))
    with log.open("ab") as output:
        child = spawn(Command(argv, ROOT, {**os.environ, **environment, "PYTHONPATH": str(ROOT)}), output.fileno())
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", log)
            yield "127.0.0.1", port
        finally:
            child.stop()


def _wait_for(url: str, log: Path) -> None:
    ends_s = time.monotonic() + 60
    while time.monotonic() < ends_s:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer: {log.read_text()[-2000:]}")
