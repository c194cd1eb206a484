"""Book a slot of the business date, pay the fee where there is one, and wait until the hospital knows the patient."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

from demo.day.context import WAITING_AT_ONCE, Day, Patient
from demo.day.http import DayBroken, Refused, until

# Every fifth patient goes to a chief physician, who costs a fee.
FEE_EVERY = 5
PLACES_PER_PATIENT = 2
Slot = dict[str, Any]


def book_everyone(day: Day) -> None:
    """Everybody at once; two may want the same last place, so a full slot is followed by the next one."""
    offers = {hospital["code"]: _offers(day, hospital["code"]) for hospital in day.stack.world["hospitals"]}
    wishes = []
    for number, patient in enumerate(day.patients):
        paid, free = offers[patient.hospital]
        wishes.append((patient, [next(paid if number % FEE_EVERY == 0 else free), next(free), next(free)]))
    day.for_each(lambda wish: _book(day, *wish), wishes)


def register_everyone(day: Day) -> None:
    day.for_each(lambda patient: _registered(day, patient), day.patients, at_once=WAITING_AT_ONCE)


def _offers(day: Day, code: str) -> tuple[Iterator[Slot], Iterator[Slot]]:
    """Open slots of the business date with and without a fee, as soon as the hospital has pushed enough of them."""
    mine = [patient for patient in day.patients if patient.hospital == code]

    def enough() -> list[Slot] | None:
        items = mine[0].api.items(f"/api/v1/hospitals/{code}/slots", on=day.date)
        slots = [slot for slot in items if not slot["stopped"] and slot["left"]]
        places = sum(slot["left"] for slot in slots if not slot["fee_fen"])
        return slots if places >= PLACES_PER_PATIENT * len(mine) else None

    slots = until(f"slots of {code}", enough)
    free = [slot for slot in slots if not slot["fee_fen"]]
    return cycle([slot for slot in slots if slot["fee_fen"]] or free), cycle(free)


def _book(day: Day, patient: Patient, wanted: list[Slot]) -> None:
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
