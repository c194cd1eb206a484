"""Binding over HTTP, from the phone code to the hospital's answer."""

from __future__ import annotations

from app.identity import service as identity
from tests.app.identity.kit import Clinic, identity_number, phone_number


def test_a_known_patient_is_bound_and_the_hospital_told(clinic: Clinic) -> None:
    patient = clinic.log_in()
    number, phone = identity_number("19851224", "female"), phone_number()
    answer = clinic.claim(patient, name="欧阳·娜娜", document_no=number.lower(), phone=f"+86 {phone}")
    assert answer.status_code == 202 and answer.get_json()["status"] == "pending"

    asked = clinic.answer_checks("0000007")
    assert asked[0] | {"check_no": ""} == {
        "check_no": "",
        "name": "欧阳·娜娜",
        "document_type": "id_card",
        "document_no": number,
        "phone": phone,
        "birth_date": "1985-12-24",
        "sex": "female",
    }
    bound = patient.get("/bindings").get_json()["bindings"][0]
    person = bound["person"]
    assert (bound["status"], person["name_mask"], person["phone_mask"]) == (
        "live",
        "欧****",
        f"{phone[:3]}****{phone[-4:]}",
    )
    assert (person["birth_date"], person["sex"]) == ("1985-12-24", "female")
    with clinic.runtime.read() as session:
        assert [no for _, no in identity.patient_numbers(session, person["id"])] == ["0000007"]
    told = clinic.agent().poll(lanes=["pull"])
    assert [one["kind"] for one in told] == ["tie_account", "pull_patient"]
    assert told[0]["body"]["patient_no"] == told[1]["body"]["patient_no"] == "0000007"
