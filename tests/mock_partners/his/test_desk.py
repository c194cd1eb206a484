from __future__ import annotations

import itertools
import threading
from datetime import date
from typing import Any

import pytest

from mock_partners.his.numbers import identity_number
from tests.mock_partners.his.conftest import Hospital, number

_ordinals = itertools.count()


def _identity(person: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "document_type", "document_no", "phone", "birth_date", "sex")
    return {name: person[name] for name in names}


def _stranger() -> dict[str, Any]:
    """Somebody whom no hospital knows and no other test uses."""
    born = date(1991, 7, 7)
    document_no = identity_number(born, "female", next(_ordinals))
    about = {"name": "欧阳·新", "document_type": "id_card", "document_no": document_no, "phone": "13912345678"}
    return {**about, "birth_date": born.isoformat(), "sex": "female"}


def _slot(hospital: Hospital) -> str:
    """An open slot that nobody has booked yet."""
    free = hospital.rows("SELECT hyid FROM gh_hy WHERE zt = '1' AND yghs = 0 ORDER BY hyid LIMIT 1")
    return str(free[0]["hyid"])


def _book(hospital: Hospital, number: str, slot: str, person: dict[str, Any]) -> Any:
    about = {name: person[name] for name in ("name", "document_no", "phone")}
    return hospital.post("/appointments", appointment_no=number, slot_key=slot, **about)


def _arrivals(hospital: Hospital) -> list[str]:
    return [row["registration_no"] for row in hospital.http.get("/__mock__/registrations").json()]


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
        stranger, first_no, second_no = _stranger(), number(), number()
        first = hospital.post("/registrations", registration_no=first_no, **stranger).json()
        again = hospital.post("/registrations", registration_no=first_no, **stranger).json()
        other = hospital.post("/registrations", registration_no=second_no, **stranger).json()
        assert first == again == other and first["patient_no"]
        assert hospital.post("/patients/verify", **stranger).json() == first
        assert _arrivals(hospital)[-2:] == [first_no, second_no]

    def test_a_known_person_keeps_the_patient_number(self, hospital: Hospital) -> None:
        person = hospital.people[0]
        answer = hospital.post("/registrations", registration_no=number(), **_identity(person)).json()
        assert answer == {"patient_no": person["patient_no"]}

    def test_refusals_are_final_and_leave_nothing(self, hospital: Hospital) -> None:
        listed, before = _stranger(), _arrivals(hospital)
        with hospital.double.records.transaction() as db:
            db.execute("INSERT INTO br_hmd VALUES (%s, 'x')", (listed["document_no"],))
        cases = {
            "document_invalid": {**_stranger(), "document_no": "1" * 18},
            "blacklisted": listed,
            "name_mismatch": {**_identity(hospital.people[0]), "name": "x"},
        }
        for code, body in cases.items():
            answer = hospital.post("/registrations", registration_no=number(), **body)
            assert (answer.status_code // 100, answer.json()["code"]) == (4, code)
        assert _arrivals(hospital) == before

    def test_a_number_means_one_application(self, hospital: Hospital) -> None:
        registration_no = number()
        hospital.post("/registrations", registration_no=registration_no, **_stranger())
        answer = hospital.post("/registrations", registration_no=registration_no, **_stranger())
        assert (answer.status_code, answer.json()["code"]) == (409, "registration_no_reused")

    def test_the_order_of_arrival_is_kept(self, hospital: Hospital) -> None:
        numbers = [number() for _ in range(12)]
        for registration_no in numbers:
            hospital.post("/registrations", registration_no=registration_no, **_stranger())
        assert _arrivals(hospital)[-12:] == numbers

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
            threading.Thread(target=lambda: answers.append(_book(hospital, number(), slot, _stranger()).status_code))
            for _ in range(capacity + 3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200] * capacity + [409] * 3
        assert _book(hospital, number(), slot, _stranger()).json()["code"] == "slot_full"

    def test_booking_twice_takes_one_place_and_cancelling_gives_it_back(self, hospital: Hospital) -> None:
        slot, booked, stranger = _slot(hospital), number(), _stranger()
        for _ in range(2):
            assert _book(hospital, booked, slot, stranger).status_code == 200
        assert hospital.rows("SELECT yghs FROM gh_hy WHERE hyid = %s", slot)[0]["yghs"] == 1
        for _ in range(2):
            assert hospital.http.delete(f"/appointments/{booked}").status_code == 200
        assert hospital.rows("SELECT yghs FROM gh_hy WHERE hyid = %s", slot)[0]["yghs"] == 0

    def test_a_stopped_slot_is_refused(self, hospital: Hospital) -> None:
        stopped = _slot(hospital)
        with hospital.double.records.transaction() as db:
            db.execute("UPDATE gh_hy SET zt = '0' WHERE hyid = %s", (stopped,))
        for slot in (stopped, "no-such-slot"):
            answer = _book(hospital, number(), slot, _stranger())
            assert (answer.status_code, answer.json()["code"]) == (409, "slot_stopped")

    def test_a_card_is_kept_or_refused(self, hospital: Hospital) -> None:
        """Without one the patient pays for everything; a known patient's must be the one that the hospital has."""
        slot, known = _slot(hospital), hospital.people[0]
        cases = [
            (_stranger(), None, None),
            (_stranger(), "C123456789", None),
            (_stranger(), "c-1", "card_invalid"),
            (known, known["medical_card_no"], None),
            (known, "C000000000", "card_mismatch"),
        ]
        for person, card_no, code in cases:
            about = {name: person[name] for name in ("name", "document_no", "phone")} | {"medical_card_no": card_no}
            booked = number()
            answer = hospital.post("/appointments", appointment_no=booked, slot_key=slot, **about)
            assert answer.json().get("code") == code
            kept = hospital.rows("SELECT ybkh FROM gh_yy WHERE yyh = %s", booked)
            assert [row["ybkh"] for row in kept] == ([] if code else [card_no])
            hospital.http.delete(f"/appointments/{booked}")


class TestAttend:
    def test_a_booked_visit_is_made_once_and_names_its_appointment(self, hospital: Hospital) -> None:
        booked = number()
        _book(hospital, booked, _slot(hospital), hospital.people[0])
        visit = hospital.post("/__mock__/attend", appointment_no=booked).json()
        assert hospital.post("/__mock__/attend", appointment_no=booked).json() == visit
        assert visit["total_fen"] > 0
        row = hospital.rows("SELECT jzlsh, zt FROM gh_yy WHERE yyh = %s", booked)[0]
        assert (row["jzlsh"], row["zt"]) == (visit["visit_key"], "2")

    def test_who_is_not_registered_or_cancelled_cannot_attend(self, hospital: Hospital) -> None:
        booked = number()
        _book(hospital, booked, _slot(hospital), _stranger())
        assert hospital.post("/__mock__/attend", appointment_no=booked).json()["code"] == "not_registered"
        hospital.http.delete(f"/appointments/{booked}")
        assert hospital.post("/__mock__/attend", appointment_no=booked).json()["code"] == "appointment_unknown"

    def test_each_visit_at_the_counter_is_another_one(self, hospital: Hospital) -> None:
        patient_no = hospital.people[0]["patient_no"]
        first, second = hospital.attend(patient_no), hospital.attend(patient_no)
        assert first["visit_key"] != second["visit_key"] and first["bill_key"] != second["bill_key"]

    def test_a_new_patient_can_attend(self, hospital: Hospital) -> None:
        patient_no = hospital.post("/registrations", registration_no=number(), **_stranger()).json()["patient_no"]
        assert hospital.attend(patient_no)["total_fen"] > 0


def test_an_unavailable_his_answers_503_without_an_echo(fresh_hospital: Hospital) -> None:
    stranger = _stranger()
    with fresh_hospital.double.records.transaction() as db:
        db.execute("ALTER TABLE br_jdsq RENAME TO elsewhere")
    answer = fresh_hospital.post("/registrations", registration_no=number(), **stranger)
    assert (answer.status_code, answer.json()["code"]) == (503, "his_unavailable")
    assert stranger["document_no"] not in answer.text
