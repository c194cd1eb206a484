"""Reminders: durable tasks at their times, silent for what is not booked any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.appointment.rules import reminders
from tests.app.appointment.kit import Desk

REMIND = "appointment.remind"


def planned(desk: Desk, row: Any) -> list[float]:
    """Hours before the visit at which a reminder is due."""
    found = desk.house.rows(
        "SELECT extract(epoch FROM s.starts_at - t.run_at) / 3600 AS hours FROM task t JOIN appointment a"
        " ON a.id = t.subject JOIN slot s ON s.id = a.slot_id WHERE t.kind = :kind AND a.id = :id ORDER BY 1 DESC",
        kind=REMIND,
        id=row["id"],
    )
    return [round(float(one.hours), 3) for one in found]


def come(desk: Desk, slot_id: Any, hours: float) -> None:
    """So many hours remain before the visit."""
    desk.house.rows(
        "UPDATE slot SET starts_at = now() + make_interval(mins => :m) WHERE id = :id", m=round(hours * 60), id=slot_id
    )
    desk.house.drain_all(REMIND, hurry=True)


@pytest.mark.parametrize(("in_h", "hours"), [(48, [24, 2]), (23, [2]), (1, [])])
def test_reminders_that_still_lie_ahead_are_planned(desk: Desk, in_h: float, hours: list[float]) -> None:
    assert planned(desk, desk.booked(desk.house.known(), desk.slot(in_h=in_h))) == hours


def test_nothing_is_planned_before_the_hospital_has_confirmed(desk: Desk) -> None:
    assert planned(desk, desk.book(desk.house.known(), desk.slot(in_h=48))) == []


def test_each_reminder_is_told_once(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot(in_h=48)
    row = desk.booked(patient, slot_id)
    come(desk, slot_id, 1.9)
    assert desk.notices(row) == ["appointment_booked", "appointment_reminder", "appointment_reminder"]
    desk.house.drain_all("notification.deliver")
    with desk.house.runtime.work() as work:
        from_scratch = {"before_s": int(timedelta(hours=2).total_seconds())}
        work.later(REMIND, UUID(row["id"]), args=from_scratch)
    desk.house.drain_all(REMIND)
    assert len(desk.notices(row)) == 3


@pytest.mark.parametrize("ending", ["cancelled", "stopped"])
def test_what_is_over_is_not_reminded_of(desk: Desk, ending: str) -> None:
    patient, slot_id = desk.house.known(), desk.slot(in_h=48)
    row = desk.booked(patient, slot_id)
    if ending == "cancelled":
        desk.cancel(patient, row)
    else:
        desk.change(slot_id, 2, status="stopped")
    come(desk, slot_id, 1)
    assert "appointment_reminder" not in desk.notices(row) and planned(desk, row) == []


def test_a_visit_that_was_put_off_is_told_at_its_new_time(desk: Desk) -> None:
    slot_id = desk.slot(in_h=48)
    row = desk.booked(desk.house.known(), slot_id)
    come(desk, slot_id, 100)
    assert "appointment_reminder" not in desk.notices(row) and planned(desk, row) == [24, 2]


def test_a_visit_that_has_begun_is_not_announced(desk: Desk) -> None:
    slot_id = desk.slot(in_h=48)
    row = desk.booked(desk.house.known(), slot_id)
    come(desk, slot_id, -0.5)
    assert "appointment_reminder" not in desk.notices(row) and planned(desk, row) == []


def test_the_times_are_those_that_lie_ahead(desk: Desk) -> None:
    now = desk.house.runtime.clock.now()
    assert [at for _, at in reminders(now + timedelta(hours=30), now)] == [
        now + timedelta(hours=6),
        now + timedelta(hours=28),
    ]
