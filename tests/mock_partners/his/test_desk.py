from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest

from mock_partners.his.numbers import identity_number
from tests.mock_partners.his.conftest import Hospital


def _identity(person: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "document_type", "document_no", "phone", "birth_date", "sex")
    return {name: person[name] for name in names}


def _stranger(ordinal: int = 4_000) -> dict[str, Any]:
    born = date(1991, 7, 7)
    number = identity_number(born, "female", ordinal)
    about = {"name": "欧阳·新", "document_type": "id_card", "document_no": number, "phone": "13912345678"}
    return {**about, "birth_date": born.isoformat(), "sex": "female"}


def _slot(hospital: Hospital, status: str = "1") -> str:
    return str(hospital.rows("SELECT hyid FROM gh_hy WHERE zt = %s ORDER BY hyid LIMIT 1", status)[0]["hyid"])


def _book(hospital: Hospital, number: str, slot: str, person: dict[str, Any]) -> Any:
    about = {name: person[name] for name in ("name", "document_no", "phone")}
    return hospital.post("/appointments", appointment_no=number, slot_key=slot, **about)


class TestVerify:
    def test_a_known_person_gets_the_patient_number(self, hospital: Hospital) -> None:
        for person in hospital.people:
            answer = hospital.post("/patients/verify", check_no="V1", **_identity(person))
            assert (answer.status_code, answer.json()) == (200, {"patient_no": person["patient_no"]})

    @pytest.mark.parametrize(("field", "code"), [("name", "name_mismatch"), ("phone", "phone_mismatch")])
    def test_what_disagrees_is_named(self, hospital: Hospital, field: str, code: str) -> None:
        wrong = {**_identity(hospital.people[0]), field: "13000000000"}
        answer = hospital.post("/patients/verify", check_no="V1", **wrong)
        assert (answer.status_code, answer.json()["code"]) == (409, code)

    def test_a_stranger_is_no_error_but_a_document_that_cannot_be_is(self, hospital: Hospital) -> None:
        assert hospital.post("/patients/verify", **_stranger()).json() == {"patient_no": None}
        for wrong in ({"document_no": "110101199107070021"}, {"sex": "male"}, {"birth_date": "1991-07-08"}):
            answer = hospital.post("/patients/verify", **{**_stranger(), **wrong})
            assert (answer.status_code, answer.json()["code"]) == (409, "document_unknown")


class TestRegister:
    def test_a_stranger_becomes_a_patient_once(self, hospital: Hospital) -> None:
        first = hospital.post("/registrations", registration_no="R1", **_stranger()).json()
        again = hospital.post("/registrations", registration_no="R1", **_stranger()).json()
        other = hospital.post("/registrations", registration_no="R2", **_stranger()).json()
        assert first == again == other
        assert hospital.post("/patients/verify", **_stranger()).json() == first
        assert [row["registration_no"] for row in hospital.http.get("/__mock__/registrations").json()] == ["R1", "R2"]

    def test_a_known_person_keeps_the_patient_number(self, hospital: Hospital) -> None:
        person = hospital.people[0]
        answer = hospital.post("/registrations", registration_no="R1", **_identity(person)).json()
        assert answer == {"patient_no": person["patient_no"]}

    def test_refusals_are_final_and_leave_nothing(self, hospital: Hospital) -> None:
        with hospital.double.records.transaction() as db:
            db.execute("INSERT INTO br_hmd VALUES (%s, 'x')", (_stranger(4_001)["document_no"],))
        bad = hospital.post("/registrations", registration_no="R1", **{**_stranger(), "document_no": "1" * 18})
        assert (bad.status_code, bad.json()["code"]) == (422, "document_invalid")
        listed = hospital.post("/registrations", registration_no="R2", **_stranger(4_001))
        assert (listed.status_code, listed.json()["code"]) == (409, "blacklisted")
        named = hospital.post("/registrations", registration_no="R3", **{**_identity(hospital.people[0]), "name": "x"})
        assert (named.status_code, named.json()["code"]) == (409, "name_mismatch")
        assert hospital.http.get("/__mock__/registrations").json() == []

    def test_a_number_means_one_application(self, hospital: Hospital) -> None:
        hospital.post("/registrations", registration_no="R1", **_stranger())
        answer = hospital.post("/registrations", registration_no="R1", **_stranger(4_002))
        assert (answer.status_code, answer.json()["code"]) == (409, "registration_no_reused")

    def test_the_order_of_arrival_is_kept(self, hospital: Hospital) -> None:
        for number in range(12):
            hospital.post("/registrations", registration_no=f"R{number}", **_stranger(3_000 + number))
        arrivals = hospital.http.get("/__mock__/registrations").json()
        assert [row["registration_no"] for row in arrivals] == [f"R{number}" for number in range(12)]

    @pytest.mark.parametrize("body", [{}, {"registration_no": 5}, {"registration_no": "R\x00"}])
    def test_a_body_with_something_missing_is_refused(self, hospital: Hospital, body: dict[str, Any]) -> None:
        answer = hospital.post("/registrations", **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "body_invalid")
        assert hospital.http.post("/registrations", content=b"{").status_code == 422


class TestAppointments:
    def test_a_slot_is_never_oversold(self, hospital: Hospital) -> None:
        slot = _slot(hospital)
        capacity = hospital.rows("SELECT xhs FROM gh_hy WHERE hyid = %s", slot)[0]["xhs"]
        answers: list[int] = []
        threads = [
            threading.Thread(target=lambda n=n: answers.append(_book(hospital, f"A{n}", slot, _stranger()).status_code))
            for n in range(capacity + 3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200] * capacity + [409] * 3
        assert _book(hospital, "A-late", slot, _stranger()).json()["code"] == "slot_full"

    def test_booking_twice_takes_one_place_and_cancelling_gives_it_back(self, hospital: Hospital) -> None:
        slot = _slot(hospital)
        for _ in range(2):
            assert _book(hospital, "A1", slot, _stranger()).status_code == 200
        assert hospital.rows("SELECT yghs FROM gh_hy WHERE hyid = %s", slot)[0]["yghs"] == 1
        for _ in range(2):
            assert hospital.http.delete("/appointments/A1").status_code == 200
        assert hospital.rows("SELECT yghs FROM gh_hy WHERE hyid = %s", slot)[0]["yghs"] == 0

    def test_a_stopped_slot_is_refused(self, hospital: Hospital) -> None:
        with hospital.double.records.transaction() as db:
            db.execute("UPDATE gh_hy SET zt = '0' WHERE hyid = (SELECT min(hyid) FROM gh_hy)")
        for slot in (_slot(hospital, "0"), "no-such-slot"):
            answer = _book(hospital, "A1", slot, _stranger())
            assert (answer.status_code, answer.json()["code"]) == (409, "slot_stopped")


class TestAttend:
    def test_a_booked_visit_is_made_once_and_names_its_appointment(self, hospital: Hospital) -> None:
        person = hospital.people[0]
        _book(hospital, "A1", _slot(hospital), person)
        visit = hospital.post("/__mock__/attend", appointment_no="A1").json()
        assert hospital.post("/__mock__/attend", appointment_no="A1").json() == visit
        assert visit["total_fen"] > 0
        row = hospital.rows("SELECT jzlsh, zt FROM gh_yy WHERE yyh = 'A1'")[0]
        assert (row["jzlsh"], row["zt"]) == (visit["visit_key"], "2")

    def test_who_is_not_registered_or_cancelled_cannot_attend(self, hospital: Hospital) -> None:
        _book(hospital, "A1", _slot(hospital), _stranger())
        assert hospital.post("/__mock__/attend", appointment_no="A1").json()["code"] == "not_registered"
        hospital.http.delete("/appointments/A1")
        assert hospital.post("/__mock__/attend", appointment_no="A1").json()["code"] == "appointment_unknown"

    def test_each_visit_at_the_counter_is_another_one(self, hospital: Hospital) -> None:
        patient_no = hospital.people[0]["patient_no"]
        first, second = hospital.attend(patient_no), hospital.attend(patient_no)
        assert first["visit_key"] != second["visit_key"] and first["bill_key"] != second["bill_key"]

    def test_a_new_patient_can_attend(self, hospital: Hospital) -> None:
        patient_no = hospital.post("/registrations", registration_no="R1", **_stranger()).json()["patient_no"]
        assert hospital.attend(patient_no)["total_fen"] > 0


def test_an_unavailable_his_answers_503(hospital: Hospital) -> None:
    with hospital.double.records.transaction() as db:
        db.execute("ALTER TABLE br_jdsq RENAME TO elsewhere")
    answer = hospital.post("/registrations", registration_no="R1", **_stranger())
    assert (answer.status_code, answer.json()["code"]) == (503, "his_unavailable")
    assert _stranger()["document_no"] not in answer.text
