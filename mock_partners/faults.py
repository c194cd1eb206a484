"""Scripted misbehaviour of doubles."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """One scripted misbehaviour.

    `path` is a regular expression searched in the path, `contains` a text that must stand in the body.
    `delay_s` waits first. `drop="before"` breaks the connection without doing the work, `drop="after"` does
    the work and loses the answer (the unknown result). `status` and `body` answer in place of the double;
    with `late=True` the work is done all the same, after `delay_s`, behind the caller's back.
    `times` counts down to 0; -1 never ends.
    """

    path: str
    method: str = ""
    contains: str = ""
    times: int = 1
    delay_s: float = 0.0
    drop: str = ""
    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    late: bool = False

    def matches(self, method: str, path: str, body: str) -> bool:
        return (
            self.times != 0
            and (not self.method or self.method == method)
            and re.search(self.path, path) is not None
            and self.contains in body
        )
