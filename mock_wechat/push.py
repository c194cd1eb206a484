"""A push: something that WeChat sends of its own accord, how it may be spoiled, and what became of an attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class PushFault:
    """One scripted misbehaviour of the pushes; the first that matches is tied to a push for its whole life.

    It matches when `contains` stands in the push's topic, address or content, `times` times (-1 never ends).
    `delay_s` sends late, `copies` sends that many times, `before_answer` sends before the call that caused it is
    answered. `lose` pretends an attempt that never arrived. `signature` is "wrong", "signtest" or "unknown_serial".
    `lose` and `signature` spoil the first `attempts` attempts (-1 all).
    """

    contains: str = ""
    times: int = 1
    delay_s: float = 0.0
    copies: int = 1
    before_answer: bool = False
    lose: bool = False
    signature: str = ""
    attempts: int = 1


@dataclass
class Push:
    """One push to be made: `kind` names its sender, `ladder_s` the pauses before each further attempt."""

    kind: str
    owner: str
    url: str
    topic: str
    content: dict[str, Any]
    ladder_s: list[float]
    delay_s: float = 0.0


@dataclass
class Sent:
    """The outcome of one attempt: taken or not, and what the receiver answered."""

    taken: bool
    status: int
    text: str = ""


Sender = Callable[[dict[str, Any], PushFault], Sent]
