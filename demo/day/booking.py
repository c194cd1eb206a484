"""Book a slot of the business date, pay the fee where there is one, and wait until the hospital knows the patient."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from demo.day.context import Day, Patient
from demo.day.http import DayBroken, Refused, until

# Every fifth patient goes to a chief physician, who costs a fee.
FEE_EVERY = 5
PAEDIATRICS_AGE = 14


def book_everyone(day: Day) -> None:
    """Everybody at once; two may want the same last place, so a full slot is followed by the next one."""
    slots = {hospital["code"]: _slots(day, hospital["code"]) for hospital in day.stack.world["hospitals"]}
    offers = {code: (cycle([s for s in found if s["fee_fen"]]), cycle([s for s in found if not s["fee_fen"]]))
              for code, found in slots.items()}  # fmt: skip
    wishes = []
    for number, patient in enumerate(day.patients):
        paid, free = offers[patient.hospital]
        wishes.append((patient, [next(paid if number % FEE_EVERY == 0 else free), next(free), next(free)]))
    day.for_each(lambda wish: _book(day, *wish), wishes)


def register_everyone(day: Day) -> None:
    day.for_each(lambda patient: _registered(day, patient), day.patients)


def _slots(day: Day, code: str) -> list[dict[str, Any]]:
    """Open slots of the business date, as soon as the hospital has pushed its catalogue."""
    someone = next(patient for patient in day.patients if patient.hospital == code)

    def there() -> list[dict[str, Any]]:
        items = someone.api.get(f"/api/v1/hospitals/{code}/slots", on=day.date)["items"]
        return [slot for slot in items if not slot["stopped"] and slot["left"]]

    return until(f"slots of {code}", there)


def _book(day: Day, patient: Patient, wanted: list[dict[str, Any]]) -> None:
    for slot in wanted:
        body = {"person_id": patient.person_id, "slot_id": slot["id"]}
        try:
            made = patient.api.post("/api/v1/appointments", body)
        except Refused as refused:
            if refused.code != "slot_full":
                raise
            continue
        if made["payment_id"]:
            pay(day, patient, made["payment_id"])
        patient.appointment = until("appointment", lambda: _booked(patient, made["id"]))  # noqa: B023
        return
    raise DayBroken("every slot was full")


def _booked(patient: Patient, appointment_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] = patient.api.get(f"/api/v1/appointments/{appointment_id}")
    if found["status"] not in ("pending", "booked", "attended"):
        raise DayBroken(f"appointment {found['status']}")
    return found if found["status"] != "pending" else None


def pay(day: Day, patient: Patient, payment_id: str) -> None:
    """Pay an order on the phone, with the parameters that the page hands to WeChat."""

    def ready() -> dict[str, Any] | None:
        found: dict[str, Any] = patient.api.get(f"/api/v1/payments/{payment_id}")
        if found["status"] in ("closed", "paid"):
            raise DayBroken(f"payment is {found['status']} before it was paid")
        params: dict[str, Any] | None = found["jsapi"]
        return params

    params = until("payment parameters", ready)
    day.wechat.post("/__mock__/phone/pay", {"user": patient.user, "params": params})


def _registered(day: Day, patient: Patient) -> None:
    def done() -> bool:
        rows = patient.api.get("/api/v1/registrations", person_id=patient.person_id)["items"]
        failed = [row for row in rows if row["status"] == "failed"]
        if failed:
            raise DayBroken("registration failed")
        return any(row["status"] == "registered" for row in rows)

    until("registration", done, timeout_s=120)
