"""What the demonstration shows: its steps with their times, the summary, the addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

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

    def summary(self, result: Mapping[str, Any], problems: Sequence[str]) -> None:
        """The result as a table, then whatever is wrong with it."""
        table = Table(title="The day", show_header=False, title_justify="left")
        for name, value in _flat(result):
            table.add_row(name, str(value))
        table.add_row("seconds in all", f"{sum(result['seconds'].values()):.1f}")
        self._console.print(table)
        for problem in problems:
            self._console.print(f"[red]BROKEN[/red]  {problem}", highlight=False)
        if not problems:
            self._console.print("[green]Everything came out as it must.[/green]")

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


def _flat(result: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """One row for each number, one for each part with its numbers side by side."""
    for name, value in result.items():
        if isinstance(value, Mapping):
            yield name, "  ".join(f"{key} {number}" for key, number in value.items())
        else:
            yield name, value
