"""How the product's web server is started."""

from __future__ import annotations


def granian(port: int | str, app: str = "asgi:app", *, processes: int = 1) -> tuple[str, ...]:
    """Arguments of `python -m granian` to serve `app` on this machine alone. One interpreter uses one processor."""
    listen = ("--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--no-ws")
    return (*listen, "--workers", str(processes), "--log-level", "warning", app)
