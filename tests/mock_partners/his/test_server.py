from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from mock_partners.his.server import His
from tests.mock_partners.his.conftest import Filling, Hospital
from tests.mock_partners.wire import wait_until


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


def newcomer(no: str) -> dict[str, str]:
    number = "11010519491231002X"
    return {"registration_no": no, "name": "新来的", "document_type": "id_card", "document_no": number,
            "phone": "13912345678", "birth_date": "1949-12-31", "sex": "female"}  # fmt: skip


def test_a_registration_whose_answer_is_lost_or_late_is_one_registration(hospital: Hospital) -> None:
    """Late: refused with an error and committed afterwards; lost: committed and not answered."""
    hospital.double.fail("^/registrations$", status=504, late=True, delay_s=0.2)
    assert hospital.post("/registrations", **newcomer("rg1")).status_code == 504
    wait_until(lambda: len(arrivals(hospital)) == 1)
    hospital.double.fail("^/registrations$", drop="after")
    with pytest.raises(httpx.TransportError):
        hospital.post("/registrations", **newcomer("rg1"))
    hospital.double.pace("^/registrations$", {"kind": "lognormal", "median_s": 0.05, "sigma": 0.5, "seed": 1})
    answer = hospital.post("/registrations", **newcomer("rg1"))
    assert [row["patient_no"] for row in arrivals(hospital)] == [answer.json()["patient_no"]]
    seen = [entry for entry in hospital.double.journal if entry["path"] == "/registrations"]
    assert [(entry["status"], entry["dropped"]) for entry in seen] == [(504, ""), (200, ""), (200, "after"), (200, "")]


def arrivals(hospital: Hospital) -> list[dict[str, str]]:
    found = hospital.http.get("/__mock__/registrations").json()
    return [row for row in found if row["registration_no"] == "rg1"]
