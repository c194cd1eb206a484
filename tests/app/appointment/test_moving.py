"""A clinic at another time: who is booked is told, once, and reminded at the new one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.app.appointment.kit import Desk


def move(desk: Desk, slot_id: UUID, version: int, in_h: float) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=in_h)
    times = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=1)).isoformat()}
    assert desk.change(slot_id, version, capacity=5, **times) == [("applied", None)]


def told(desk: Desk, row: Any) -> int:
    return desk.notices(row).count("appointment_moved")


@pytest.mark.parametrize("in_h", [30, 72])
def test_who_is_booked_is_told_of_the_new_time(desk: Desk, in_h: float) -> None:
    slot_id = desk.slot(in_h=48, capacity=5)
    booked, pending, gone = (desk.house.known() for _ in range(3))
    row, left = desk.booked(booked, slot_id), desk.booked(gone, slot_id)
    desk.cancel(gone, left)
    waits = desk.book(pending, slot_id)
    move(desk, slot_id, 2, in_h)
    assert [told(desk, one) for one in (row, left, waits)] == [1, 0, 0], "who is not booked yet hears the time then"
    due = "SELECT count(*) FROM task WHERE kind = 'appointment.remind' AND subject = :id AND run_at = :at"
    begin = desk.house.value("SELECT starts_at FROM slot WHERE id = :id", id=slot_id)
    assert desk.house.value(due, id=row["id"], at=begin - timedelta(hours=2)) == 1


def test_a_change_that_leaves_the_time_alone_is_not_told(desk: Desk) -> None:
    slot_id = desk.slot(in_h=48, capacity=5)
    row = desk.booked(desk.house.known(), slot_id)
    desk.change(slot_id, 2, capacity=7)
    assert told(desk, row) == 0


def test_of_a_clinic_that_is_stopped_only_that_is_told(desk: Desk) -> None:
    slot_id = desk.slot(in_h=48, capacity=5)
    row = desk.booked(desk.house.known(), slot_id)
    later = (datetime.now(UTC) + timedelta(hours=50)).isoformat()
    end = (datetime.now(UTC) + timedelta(hours=51)).isoformat()
    desk.change(slot_id, 2, status="stopped", starts_at=later, ends_at=end)
    assert told(desk, row) == 0 and "appointment_cancelled" in desk.notices(row)
