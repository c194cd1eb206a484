"""The stages of the day in their order, each with its seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from demo.day import binding, booking, claims, night, payouts, trials, visits
from demo.day.context import Day

STAGES: tuple[tuple[str, Callable[[Day], None]], ...] = (
    ("bind", binding.bind_everyone),
    ("book", booking.book_everyone),
    ("register", booking.register_everyone),
    ("visits", visits.attend_everyone),
    ("trials", trials.ask_everyone),
    ("settlements", trials.settle_everyone),
    ("claims", claims.claim_everything),
    ("payouts", payouts.pay_everything),
    ("night", night.reconcile),
)


def play(day: Day, begin: Callable[[str], None]) -> dict[str, float]:
    """Play every stage; the seconds of each. `begin` is told a stage's name when it begins."""
    seconds: dict[str, float] = {}
    for name, stage in STAGES:
        begin(name)
        started = time.monotonic()
        stage(day)
        seconds[name] = round(time.monotonic() - started, 2)
    return seconds
