"""Everybody asks for the trial of today's bill at once, waits in the interface's line, and settles what it said."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from demo.day.booking import pay
from demo.day.context import Day, Patient
from demo.day.http import LONGEST_PAUSE_S, DayBroken, until
from demo.day.visits import bills_of

LINE_PATIENCE_S = 180.0
LOOK_S, REST_S = 0.3, 5.0
# What the interface says to 2207 for the case `refund`: it was settled at the window meanwhile.
REFUSED_2207 = {"infcode": -1, "inf_refmsgid": "", "respond_time": "", "err_msg": "SETTLED 已结算", "output": {}}


def ask_everyone(day: Day) -> None:
    """Everyone is in line before anyone is waited for."""
    day.for_each(lambda patient: _ask(day, patient), day.patients)


def settle_everyone(day: Day) -> None:
    day.for_each(lambda patient: _settle(day, patient), day.patients)


def _ask(day: Day, patient: Patient) -> None:
    bill_key = patient.visit["bill_key"]
    bill = bills_of(patient)[bill_key]
    patient.trial_id = patient.api.post("/api/v1/trials", {"bill_id": bill["id"], "wait": True})["id"]
    if "refund" in patient.cases:
        fault = {"infno": "2207", "contains": bill_key, "status": 200, "body": REFUSED_2207}
        day.double("M1").post("/__mock__/faults/infno", fault)


def _settle(day: Day, patient: Patient) -> None:
    _wait(patient, f"/api/v1/trials/{patient.trial_id}", ("trialled",))
    settlement = patient.api.post("/api/v1/settlements", {"trial_id": patient.trial_id})
    if settlement["payment_id"]:
        pay(day, patient, settlement["payment_id"])
    end = ("failed",) if "refund" in patient.cases else ("synchronised",)
    path = f"/api/v1/settlements/{patient.trial_id}"
    done = _wait(patient, path, end)
    if "refund" in patient.cases and settlement["payment_id"] and done["self_pay_part"] != "reversed":
        until("refund", lambda: patient.api.get(path)["self_pay_part"] == "reversed")


def _wait(patient: Patient, path: str, ends: tuple[str, ...]) -> dict[str, Any]:
    """Look again about when the line promises the turn, and at growing intervals while the partners are at work."""
    deadline, pause_s = time.monotonic() + LINE_PATIENCE_S, LOOK_S
    while time.monotonic() < deadline:
        found: dict[str, Any] = patient.api.get(path)
        if found["status"] in ends:
            return found
        if found["status"] in ("failed", "reversed"):
            raise DayBroken(f"settlement {found['status']}")
        if found["expected_at"] is None:
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.4, LONGEST_PAUSE_S)
        else:
            time.sleep(_until(found["expected_at"]))
    raise DayBroken(f"settlement is not {' or '.join(ends)} after {LINE_PATIENCE_S:g} s")


def _until(expected_at: str) -> float:
    """Seconds to sleep."""
    left_s = (datetime.fromisoformat(expected_at) - datetime.now(UTC)).total_seconds()
    return min(max(left_s, 0) + LOOK_S, REST_S)
