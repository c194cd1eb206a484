"""What the demonstration shows: its steps with their times, the summary, the addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from demo.invariants.checking import HELD

if TYPE_CHECKING:
    from demo.stack import Stack

# A stage's name in the result -> what is going on.
STAGES = {
    "bind": "the day begins: patients bind themselves",
    "book": "patients book appointments",
    "register": "the hospitals register patients, some at a time",
    "visits": "patients see the doctor; bills come in",
    "trials": "patients ask for trials of their settlements, some at a time",
    "settlements": "patients settle and pay their own part",
    "claims": "patients claim; insurers decide",
    "payouts": "insurers pay out; patients confirm",
    "night": "the night: three ledgers are reconciled",
}
_SPACE = "\N{NO-BREAK SPACE}"  # a name stays beside its number when a line is broken


class Screen:
    """One line for each step when it begins."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._started = time.monotonic()

    def step(self, what: str) -> None:
        seconds = f"[dim]{time.monotonic() - self._started:6.1f} s[/dim]"
        self._console.print(f"{seconds}  {STAGES.get(what, what)}", soft_wrap=True)

    def say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def summary(self, result: Mapping[str, Any], problems: Sequence[str]) -> None:
        """The result as a table, then whatever is wrong with it."""
        table = Table(title="The day", show_header=False, title_justify="left")
        for name, value in _rows(result):
            table.add_row(name, value)
        self._console.print(table)
        for problem in problems:
            self._console.print("[red]BROKEN[/red] ", end="")
            self._console.print(problem, markup=False, soft_wrap=True)
        if not problems:
            self._console.print("[green]Everything came out as it must.[/green]")

    def problem(self, text: str, logs: Path) -> None:
        self._console.print(text, style="red", markup=False, soft_wrap=True)
        self._console.print(f"The programs' output is in {logs}.", markup=False, soft_wrap=True)

    def urls(self, stack: Stack) -> None:
        rows = {
            "the API": f"{stack.public_url}/api/docs/",
            "patients' phones": f"{stack.double('wechat')}/phone",
            "mails and reports": f"{stack.double('mail')}/inbox",
            "text messages": f"{stack.double('sms')}/inbox",
            "data exchange": f"{stack.exchange_url}  (for partners' programs)",
            "operators, keys": str(stack.place.world_file),
            "programs' output": str(stack.place.logs),
        }
        self._console.print("It goes on running. Have a look:")
        for name, value in rows.items():
            self._console.print(f"  {name:<18} {value}", markup=False, soft_wrap=True)
        self._console.print("Ctrl-C stops everything.")


def _rows(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """One row for each number, one for each part with its numbers side by side."""
    for name, value in result.items():
        if name == "invariants":
            held = sum(said == HELD for said in value.values())
            yield "invariants", f"{held} of {len(value)} held"
        elif name == "seconds":
            yield name, f"{_beside(value)}; {sum(value.values()):.1f}{_SPACE}in{_SPACE}all"
        elif isinstance(value, Mapping):
            yield _words(name), _beside(value)
        elif name.endswith("_fen"):
            yield f"{_words(name.removesuffix('_fen'))}, yuan", f"{value // 100:,}.{value % 100:02d}"
        else:
            yield _words(name), str(value)


def _beside(numbers: Mapping[str, Any]) -> str:
    return ", ".join(f"{_words(name)}: {_said(number)}".replace(" ", _SPACE) for name, number in numbers.items())


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
