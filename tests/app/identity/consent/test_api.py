"""Consents and their receipts."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.errors import Forbidden
from app.identity import service as identity
from app.identity.service import Sharing
from tests.app.identity.kit import Clinic, Patient, identity_number, phone_number


@pytest.fixture
def bound(clinic: Clinic) -> tuple[Patient, str]:
    patient = clinic.log_in()
    return patient, clinic.bind(patient)["person"]["id"]


def _give(patient: Patient, person_id: str, scope: list[str], recipient: str = "I1") -> Any:
    body = {"person_id": person_id, "recipient": recipient, "purpose": "claim", "scope": scope}
    return patient.post("/consents", body)


def _sharing(clinic: Clinic, person_id: str, *what: str, **more: Any) -> Sharing:
    recipient = clinic.rows("SELECT id FROM party WHERE code = 'I1'")[0].id
    subject_id = more.pop("subject_id", None) or uuid4()
    return Sharing(UUID(person_id), recipient, "claim", what, "package", subject_id, "CL1", **more)


def _share(clinic: Clinic, sharing: Sharing) -> None:
    with clinic.runtime.work() as work:
        identity.note_shared(work, sharing)


def test_a_consent_is_given_once_widened_used_and_withdrawn(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, person_id = bound
    given = _give(patient, person_id, ["identity"])
    assert given.status_code == 201 and given.get_json()["recipient_contact"] == "privacy-i1@example.com"
    assert _give(patient, person_id, ["identity"]).get_json()["id"] == given.get_json()["id"]
    wider = _give(patient, person_id, ["bills"]).get_json()
    assert wider["id"] != given.get_json()["id"] and wider["scope"] == ["bills", "identity"]
    assert "甲保险" in wider["statement"] and "结算单" in wider["statement"]

    shared = _sharing(clinic, person_id, "bills", "identity")
    for _ in range(2):
        _share(clinic, shared)
    for what in (("e_bills",), ("bills", "diagnoses")):
        with pytest.raises(Forbidden):
            _share(clinic, _sharing(clinic, person_id, *what))
    shown = patient.get("/consents").get_json()["consents"]
    assert [one["status"] for one in shown] == ["in_force", "withdrawn"]
    [receipt] = shown[0]["receipts"]
    assert (receipt["what"], receipt["subject_id"]) == (["bills", "identity"], str(shared.subject_id))
    assert "向甲保险提供了" in receipt["in_words"] and "CL1" in receipt["in_words"]

    assert patient.post(f"/consents/{wider['id']}/withdraw").get_json()["status"] == "withdrawn"
    with clinic.runtime.read() as session:
        assert identity.may_be_shared(session, shared.person_id, shared.recipient_id, "claim") == set()
    with pytest.raises(Forbidden):
        _share(clinic, _sharing(clinic, person_id, "bills"))
    assert patient.post(f"/consents/{wider['id']}/withdraw").status_code == 409
    assert len(patient.get("/consents").get_json()["consents"][0]["receipts"]) == 1  # what was shared stays told


def test_health_data_have_a_consent_and_a_receipt_of_their_own(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, person_id = bound
    assert _give(patient, person_id, ["bills", "diagnoses"]).get_json()["code"] == "separate_consents"
    general = _give(patient, person_id, ["bills"]).get_json()
    health = _give(patient, person_id, ["diagnoses"]).get_json()
    assert (general["data_class"], health["data_class"]) == ("general", "health")
    both = _sharing(clinic, person_id, "bills", "diagnoses")
    _share(clinic, both)
    _share(clinic, _sharing(clinic, person_id, "bills", "diagnoses", subject_id=both.subject_id, reference="2"))
    shown = {one["data_class"]: one["receipts"] for one in patient.get("/consents").get_json()["consents"]}
    assert [one["what"] for one in shown["general"]] == [["bills"], ["bills"]]
    assert [one["what"] for one in shown["health"]] == [["diagnoses"], ["diagnoses"]]
    assert patient.post(f"/consents/{health['id']}/withdraw").status_code == 200
    with pytest.raises(Forbidden):
        _share(clinic, _sharing(clinic, person_id, "bills", "diagnoses"))
    _share(clinic, _sharing(clinic, person_id, "bills"))


def test_the_texts_are_shown_before(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, person_id = bound
    shown = patient.get("/consent-texts?recipient=I1&purpose=claim").get_json()
    assert (shown["recipient_name"], shown["recipient_contact"]) == ("甲保险", "privacy-i1@example.com")
    for text in shown["texts"]:
        body = {"person_id": person_id, "recipient": "I1", "purpose": "claim", "scope": text["scope"]}
        assert patient.post("/consents", body | {"wording": "2020-01"}).get_json()["code"] == "wording_outdated"
        given = patient.post("/consents", body | {"wording": text["wording"]}).get_json()
        assert (given["statement"], given["data_class"]) == (text["statement"], text["data_class"])


def test_who_cannot_be_reached_gets_no_consent(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, person_id = bound
    assert _give(patient, person_id, ["bills"], "H1").get_json()["code"] == "recipient_contact_missing"
    unnamed = patient.get("/consent-texts?recipient=H1&purpose=records")
    assert (unnamed.status_code, unnamed.get_json()["code"]) == (409, "recipient_contact_missing")


def test_another_contact_is_another_consent(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, person_id = bound
    before = _give(patient, person_id, ["bills"], "I2").get_json()
    clinic.rows("UPDATE party SET config = config || '{\"contact\": \"4008000000\"}' WHERE code = 'I2'")
    after = _give(patient, person_id, ["bills"], "I2").get_json()
    assert after["id"] != before["id"] and "4008000000" in after["statement"]
    shown = {one["id"]: one for one in patient.get("/consents").get_json()["consents"]}
    assert shown[before["id"]]["statement"] == before["statement"], "what was agreed to stays told"


def test_only_who_is_bound_may_give_see_and_withdraw(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, person_id = bound
    given = _give(patient, person_id, ["bills"]).get_json()
    stranger = clinic.log_in()
    assert _give(stranger, person_id, ["bills"]).status_code == 404
    assert stranger.get("/consents").get_json() == {"consents": []}
    assert stranger.post(f"/consents/{given['id']}/withdraw").status_code == 404
    assert _give(patient, person_id, ["bills"], "I9").status_code == 404
    assert _give(patient, person_id, ["everything"]).status_code == 422
    assert _give(patient, person_id, []).status_code == 422


def test_for_a_child_the_guardian_is_named(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, guardian_id = bound
    proof = {"kind": "household_register", "number": "310-88"}
    child = clinic.bind(
        patient,
        relation="child",
        guardian_proof=proof,
        document_no=identity_number("20190505"),
        phone=phone_number(),
    )
    given = _give(patient, child["person"]["id"], ["bills"]).get_json()
    with clinic.runtime.read() as session:
        assert str(identity.consent(session, UUID(given["id"])).guardian_id) == guardian_id
