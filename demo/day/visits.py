"""Patients come to their appointment, or to the counter; the agents push what the hospitals write down."""

from __future__ import annotations

from typing import Any

from demo.day.context import WAITING_AT_ONCE, Day, Patient
from demo.day.http import until

PUSH_PATIENCE_S = 90.0


def attend_everyone(day: Day) -> None:
    day.for_each(lambda patient: _attend(day, patient), day.patients)
    day.for_each(_see_bills, day.patients, at_once=WAITING_AT_ONCE)


def bills_of(patient: Patient) -> dict[str, dict[str, Any]]:
    """Bill number -> bill, as the patient sees it."""
    bills = patient.api.items("/api/v1/bills", person_id=patient.person_id)
    return {bill["bill_no"]: bill for bill in bills}


def _attend(day: Day, patient: Patient) -> None:
    hospital = day.double(patient.hospital)
    patient.visit = hospital.post("/__mock__/attend", {"appointment_no": patient.appointment["no"]})
    if "counter_visit" in patient.cases:
        counter = {"patient_no": patient.facts["patient_no"], "counter": True, "on": day.date}
        patient.counter_visit = hospital.post("/__mock__/attend", counter)
        hospital.post("/__mock__/pay_in_cash", {"bill_key": patient.counter_visit["bill_key"]})


def _see_bills(patient: Patient) -> None:
    """Every bill of the patient is here, today's with all their lines, and a report can be read."""
    states = {patient.visit["bill_key"]: "unsettled"}
    if patient.counter_visit:
        states[patient.counter_visit["bill_key"]] = "settled"
    earlier = patient.facts["bills"]

    def pushed() -> bool:
        bills = bills_of(patient)
        today = {key: bills[key] for key in states if key in bills}
        there = all(bill["refused"] is None and bill["state"] == states[key] for key, bill in today.items())
        return there and len(today) == len(states) and len(bills) >= earlier + len(today)

    until("bills", pushed, timeout_s=PUSH_PATIENCE_S)
    reports = patient.api.get("/api/v1/reports", person_id=patient.person_id)["items"]
    if reports:
        patient.api.get(f"/api/v1/reports/{reports[0]['id']}")
