"""Workers die at any moment: an offer still goes down the line, to each in order, told once, and no place is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.appointment.waiting import contracts, service
from app.core import work as work_module
from tests.app.appointment.crowd import crowd
from tests.app.appointment.kit import Desk

ROOT = Path(__file__).resolve().parents[4]
LIVES, WAITING = 2, 16
# A worker whose offers last 20 ms, so that one chain of lapses runs through the whole line while it is killed.
WORKER = """
from datetime import timedelta
import time
from app.appointment.waiting import rules
from workers.context import context
from workers.drain import drain_with
rules.OFFER_LIFE = timedelta(milliseconds=20)
here = context()
here.lease.hold()
print("ready", flush=True)
while True:
    drain_with(here, "appointment.offer_lapse")
    time.sleep(0.005)
"""
OFFERS = """
SELECT e.subject_id FROM audit_entry e JOIN waiting_entry w ON w.id = e.subject_id
WHERE w.slot_id = :id AND e.action = 'waiting_entry.offer' ORDER BY e.id
"""
TOLD = """
SELECT w.line_no, array_agg(n.template ORDER BY n.id) AS told FROM waiting_entry w
JOIN notice n ON n.subject = w.id WHERE w.slot_id = :id GROUP BY w.line_no ORDER BY w.line_no
"""


def live_and_die(env: dict[str, str], ended: Callable[[], Any]) -> None:
    """One life of a worker, ended by SIGKILL as soon as `ended` says so."""
    command = [sys.executable, "-c", WORKER]
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        until = time.monotonic() + 120
        while not ended() and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)


def test_a_chain_of_offers_survives_sigkill(desk: Desk) -> None:
    slot_id, holder, booked = desk.full()
    for one in crowd(desk, WAITING):
        with desk.house.runtime.work() as work:
            service.join(work, one.account_id, contracts.Join(person_id=one.person_id, slot_id=slot_id))
    desk.cancel(holder, booked)
    desk.house.rows("UPDATE waiting_entry SET offer_until = now() WHERE status = 'offered'")
    desk.house.rows("UPDATE task SET run_at = now() WHERE kind = 'appointment.offer_lapse'")
    settings = desk.house.runtime.settings
    env = dict(os.environ) | {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    for life in range(1, LIVES + 1):
        live_and_die(env, partial(_reached, desk, slot_id, WAITING * life // LIVES))
    rows = desk.house.rows("SELECT id, status FROM waiting_entry WHERE slot_id = :id ORDER BY line_no", id=slot_id)
    assert [row.status for row in rows] == ["lapsed"] * WAITING and desk.left(slot_id) == (0, 1)
    assert [row.told for row in desk.house.rows(TOLD, id=slot_id)] == [["waiting_offered", "waiting_over"]] * WAITING
    assert [row.subject_id for row in desk.house.rows(OFFERS, id=slot_id)] == [row.id for row in rows]


def _reached(desk: Desk, slot_id: Any, goal: int) -> bool:
    lapsed = "SELECT count(*) >= :goal FROM waiting_entry WHERE slot_id = :id AND status = 'lapsed'"
    return bool(desk.house.value(lapsed, id=slot_id, goal=goal))


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["fee_closed", "confirmed", "offer_lapse", "remind"])
def test_a_task_that_dies_before_its_commit_is_done_again_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Everything of the step is in one commit: nothing of it is there before, and nothing is there twice."""
    fee_fen = 2500 if step == "fee_closed" else 0
    slot_id, first = desk.slot(capacity=1, in_h=48, fee_fen=fee_fen), desk.house.known()
    row = desk.book(first, slot_id)
    second = desk.house.known()
    entry = desk.waits(second, slot_id)
    _make_due(desk, step, first, row)
    before = _state(desk, slot_id)

    kind = f"appointment.{step}"
    with monkeypatch.context() as patch, pytest.raises(_Killed):
        patch.setattr(work_module, "_commit", _dying_after(1))  # the taking is committed, its effect is not
        desk.house.drain_all(kind)
    assert _state(desk, slot_id) == before
    desk.house.rows("UPDATE task SET lease = NULL WHERE kind = :kind", kind=kind)  # the lease ends with its worker
    desk.house.drain_all(kind)
    assert _state(desk, slot_id) != before
    done = _state(desk, slot_id)
    desk.house.drain_all(kind)
    assert _state(desk, slot_id) == done
    assert desk.left(slot_id)[0] == (0 if desk.statuses((second, entry)) == ["lapsed"] else 1)


def _dying_after(commits: int) -> Callable[[Any], None]:
    left, original = iter(range(commits)), work_module._commit

    def commit(session: Any) -> None:
        if next(left, None) is None:
            raise _Killed
        original(session)

    return commit


def _make_due(desk: Desk, step: str, patient: Any, row: Any) -> None:
    if step == "fee_closed":
        with desk.house.runtime.work() as work:
            args = {"purpose": "appointment", "subject": row["id"]}
            work.later("appointment.fee_closed", None, args=args)
        return
    desk.house.answer("booking", lambda command: {"outcome": "refused" if step == "confirmed" else "done"})
    if step == "confirmed":
        return
    desk.house.drain_all("appointment.confirmed")
    if step == "remind":
        desk.house.rows("UPDATE slot SET starts_at = now() + interval '90 min'")
        desk.house.rows("UPDATE task SET run_at = now() WHERE kind = 'appointment.remind'")
        return
    desk.cancel(patient, row)
    desk.house.rows("UPDATE waiting_entry SET offer_until = now() WHERE status = 'offered'")
    desk.house.rows("UPDATE task SET run_at = now() WHERE kind = 'appointment.offer_lapse'")


def _state(desk: Desk, slot_id: Any) -> Any:
    return (
        desk.house.rows("SELECT id, status FROM appointment WHERE slot_id = :id ORDER BY id", id=slot_id),
        desk.house.rows("SELECT id, status FROM waiting_entry WHERE slot_id = :id ORDER BY id", id=slot_id),
        desk.house.rows("SELECT dedupe FROM notice ORDER BY dedupe"),
        desk.house.rows("SELECT taken FROM slot WHERE id = :id", id=slot_id),
    )
