"""How the product's web server is started."""

from __future__ import annotations


def granian(port: int | str, app: str = "asgi:app") -> tuple[str, ...]:
    """Arguments of `python -m granian` for one process that serves `app` on this machine alone."""
    listen = ("--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--no-ws")
    return (*listen, "--workers", "1", "--log-level", "warning", app)
