"""A line of patients who wait for their trial, and what the slots' own rows say about how they were used."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from app.core.work import Runtime, Work
from app.record.models import Bill, FeeLine, Visit
from app.settlement import asking
from app.settlement.contracts import AskTrial
from bench.ground import libpq
from bench.interface import TOTAL_FEN
from bench.patients import Patient, Town

_AT_ONCE = 50
PATIENCE_S = 60.0
# Every change of a slot, in the order in which it happened, by the database's own clock.
_WATCH = """
CREATE TABLE bench_slot (id bigint GENERATED ALWAYS AS IDENTITY, no int, at timestamptz, free_at timestamptz,
    holder text);
CREATE FUNCTION bench_slot() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO bench_slot (no, at, free_at, holder) VALUES (NEW.no, clock_timestamp(), NEW.free_at, NEW.holder);
    RETURN NEW; END $$;
CREATE TRIGGER bench_slot AFTER INSERT OR UPDATE ON quota_slot FOR EACH ROW EXECUTE FUNCTION bench_slot();
"""


def fill(runtime: Runtime, town: Town) -> None:
    """Everybody has an open bill and asks for its trial; nobody is admitted yet."""
    for begin in range(0, len(town.patients), _AT_ONCE):
        with runtime.work() as work:
            for patient in town.patients[begin : begin + _AT_ONCE]:
                bill = _bill(work, town, patient)
                asking.ask_trial(work, patient.account_id, AskTrial(bill_id=bill.id))
    with psycopg.connect(libpq(runtime.settings.database_url), autocommit=True) as connection:
        connection.execute(_WATCH)
        connection.execute("DELETE FROM task")


def _bill(work: Work, town: Town, patient: Patient) -> Bill:
    common: dict[str, Any] = {"hospital_id": town.hospital_id, "version": 1}
    key, started_at = patient.patient_no, work.now - timedelta(hours=1)
    visit = Visit(
        **common, key=f"V{key}", patient_no=key, kind="outpatient", department_name="内科", started_at=started_at,
        booked_in_wechat=True,
    )  # fmt: skip
    work.add(visit)
    work.session.flush()
    parts = {"total_fen": TOTAL_FEN, "fund_fen": 0, "account_fen": 0, "self_pay_fen": TOTAL_FEN}
    bill = Bill(
        **common, **parts, key=f"B{key}", visit_id=visit.id, patient_no=key, bill_no=f"N{key}", state="unsettled",
        billed_on=work.clock.today(), lines_fen=TOTAL_FEN,
    )  # fmt: skip
    work.add(bill)
    work.session.flush()
    price, one = Decimal(TOTAL_FEN) / 100, Decimal(1)
    line = FeeLine(
        **common, key=f"L{key}", bill_id=bill.id, line_no=1, category="drug", code="X1", code_system="hospital",
        code_edition="1", name="药品", unit_price=price, quantity=one, amount_fen=TOTAL_FEN, insurance_class="甲",
        at=started_at,
    )  # fmt: skip
    work.add(line)
    work.session.flush()
    return bill


def begin(database_url: str, interface_id: UUID) -> None:
    """Let the first be admitted: the task that asking for a trial writes. Returns when a slot is taken."""
    with psycopg.connect(libpq(database_url), autocommit=True) as connection:
        task = "INSERT INTO task (kind, subject, args) VALUES ('settlement.admit', %s, '{}')"
        connection.execute(task, [interface_id])
        ends_s = time.monotonic() + PATIENCE_S
        while not connection.execute("SELECT 1 FROM bench_slot WHERE holder IS NOT NULL LIMIT 1").fetchall():
            if time.monotonic() > ends_s:
                raise SystemExit("nobody is admitted")
            time.sleep(0.05)


@dataclass(frozen=True)
class Use:
    """Seconds of all slots together, from the first admission to the end; how often one was `taken`, and how long one
    is held in the mean."""

    held_s: float
    idle_s: float
    taken: int
    turn_s: float

    def share(self, window_s: float) -> float:
        """Held / (held + idle): what was admitted ÷ what n slots per (window + uncertainty of the arrival) allow. The
        rule speaks of a minute: a shorter window does not shorten a decision, so each turn counts as held for what
        its window lacks of sixty seconds."""
        held_s = self.held_s + self.taken * max(0.0, 60.0 - window_s)
        return held_s / max(held_s + self.idle_s, 1e-9)

    @property
    def bare_share(self) -> float:
        """The same without that allowance."""
        return self.held_s / max(self.held_s + self.idle_s, 1e-9)


def use(database_url: str) -> Use:
    """Read off the log of the slots, up to now. A slot is idle from when it is free until it is taken again."""
    with psycopg.connect(libpq(database_url), autocommit=True) as connection:
        query = "SELECT no, extract(epoch FROM at)::float8, extract(epoch FROM free_at)::float8, holder FROM bench_slot"
        changes = connection.execute(query + " ORDER BY id").fetchall()
        [(end,)] = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchall()
    return _add_up(changes, end)


def _add_up(changes: list[tuple[Any, ...]], end: float) -> Use:
    """`changes` are (slot, at, free at, holder) in order, in seconds."""
    begin = min((at for _, at, free_at, holder in changes if holder and free_at > at), default=end)
    free: dict[int, tuple[float, str | None]] = {}
    taken_at: dict[int, float] = {}
    idle_s, turns = 0.0, []
    for no, at, free_at, holder in changes:
        before_free, before_holder = free.get(no, (begin, None))
        if holder is not None and holder != before_holder:
            idle_s += max(0.0, at - max(before_free, begin))
            if no in taken_at:
                turns.append(before_free - taken_at[no])
            taken_at[no] = at
        free[no] = (free_at, holder)
    taken = len(turns) + len(taken_at)
    idle_s += sum(max(0.0, end - max(free_at, begin)) for free_at, _ in free.values())
    turn_s = sum(turns) / len(turns) if turns else 0.0
    return Use(len(free) * (end - begin) - idle_s, idle_s, taken, turn_s)
