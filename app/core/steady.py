"""Noticing a step of the database's clock, whichever process looks and however often processes are killed.

A machine's own steady clock never steps. How far the database's clock is ahead of it stays the same, so it is written
down once for each machine; when it has changed, the database's clock has stepped. Asking takes a moment, so what is
known is an interval: the database's clock was read between two readings of the steady one. A machine that has never
looked before takes the database's clock as it finds it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base
from app.core.ids import new_id


class ClockAnchor(Base):
    """How many seconds the database's clock was ahead of a machine's steady clock: surely between these two."""

    __tablename__ = "clock_anchor"

    scope: Mapped[str] = mapped_column(primary_key=True)
    machine: Mapped[str] = mapped_column(primary_key=True)
    least_s: Mapped[float]
    most_s: Mapped[float]


@dataclass(frozen=True)
class Machine:
    """Whose steady clock it is: processes of one `name` read the same one."""

    name: str
    clock: Callable[[], float]


@cache
def this_machine() -> Machine:
    """The kernel's clock since boot, which all processes of a machine share; elsewhere this process's own."""
    with suppress(OSError, AttributeError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/time")
        return Machine(f"{boot} {space}", lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
    return Machine(f"process {new_id()}", time.monotonic)


def database_now(session: Session) -> datetime:
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def step(session: Session, scope: str, machine: Machine | None = None) -> timedelta:
    """How far the database's clock has stepped since anybody looked within `scope`, below nothing for a step backwards;
    each step is told once. Callers of one scope wait for each other."""
    machine = machine or this_machine()
    before_s = machine.clock()
    now_s = database_now(session).timestamp()
    least_s, most_s = now_s - machine.clock(), now_s - before_s
    known = session.get(ClockAnchor, (scope, machine.name), with_for_update=True, populate_existing=True)
    if known is None:
        new = {"scope": scope, "machine": machine.name, "least_s": least_s, "most_s": most_s}
        session.execute(insert(ClockAnchor).values(new).on_conflict_do_nothing())
        return timedelta(0)
    if least_s > known.most_s or most_s < known.least_s:
        # The largest step that fits what was read: forwards too much is waited, backwards too little is taken off.
        step_s = most_s - known.least_s
        _shift_all(session, scope, least_s - known.most_s, step_s)
        known.least_s, known.most_s = least_s, most_s
        session.flush()
        return timedelta(seconds=step_s)
    known.least_s, known.most_s = max(known.least_s, least_s), min(known.most_s, most_s)
    session.flush()
    return timedelta(0)


def _shift_all(session: Session, scope: str, least_s: float, most_s: float) -> None:
    """Every machine sees the same step; none shall tell it a second time."""
    shifted = update(ClockAnchor).where(ClockAnchor.scope == scope)
    values = {"least_s": ClockAnchor.least_s + least_s, "most_s": ClockAnchor.most_s + most_s}
    session.execute(shifted.values(values).execution_options(synchronize_session=False))
