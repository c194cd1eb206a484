from __future__ import annotations

from pathlib import Path

import httpx

from mock_partners.his.server import His
from tests.mock_partners.his.conftest import Filling, Hospital


def test_each_hospital_lists_its_own_people(built_in: Filling) -> None:
    with His("H1", built_in.of("H1"), "builtin") as double:
        people = httpx.get(f"{double.url}/__mock__/people").json()
    assert [person["patient_no"] for person in people] == [
        person["patient_no"] for person in built_in.people if person["hospital"] == "H1"
    ]


def test_a_restarted_double_finds_its_books(hospital: Hospital, tmp_path: Path) -> None:
    visit = hospital.attend(hospital.people[0]["patient_no"])
    again = His(hospital.code, hospital.filling.of(hospital.code), hospital.filling.dialect, state_dir=tmp_path)
    with again, again.records.transaction() as db:
        bill = again.records.bill(db, visit["bill_key"])
    assert bill is not None and bill.total_fen == visit["total_fen"] and bill.status == "unsettled"


def test_a_lost_connection_is_made_anew(hospital: Hospital) -> None:
    patient_no = hospital.people[0]["patient_no"]
    hospital.attend(patient_no)
    hospital.double.records.close()
    assert hospital.attend(patient_no)["total_fen"] > 0


def test_the_interface_journals_and_the_controls_do_not(hospital: Hospital) -> None:
    before = len(hospital.double.journal)
    hospital.http.delete("/appointments/none")
    hospital.http.get("/__mock__/people")
    assert [entry["path"] for entry in hospital.double.journal[before:]] == ["/appointments/none"]


def test_attending_without_saying_who_or_when_is_refused(hospital: Hospital) -> None:
    for body in ({}, {"patient_no": "P1"}):
        answer = hospital.post("/__mock__/attend", **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "body_invalid")
