"""What the demonstration shows: its steps with their times, the summary, the addresses."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from demo.stack import Stack


class Screen:
    """One line for each step, closed with its seconds when the next one begins."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._started = time.monotonic()

    def step(self, what: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._started:6.1f} s[/dim]  {what}")

    def say(self, text: str) -> None:
        self._console.print(text)

    def problem(self, text: str, logs: Path) -> None:
        self._console.print(f"[red]{text}[/red]", highlight=False)
        self._console.print(f"The programs' output is in {logs}.")

    def urls(self, stack: Stack) -> None:
        rows = {
            "API": f"{stack.public_url}/api/docs",
            "phones (WeChat)": f"{stack.double('wechat')}/phone",
            "exchange": stack.exchange_url,
            "operators, keys": str(stack.place.world_file),
            "logs": str(stack.place.logs),
        }
        for name, value in rows.items():
            self._console.print(f"  {name:<18} {value}")
        self._console.print("Ctrl-C stops everything.")
