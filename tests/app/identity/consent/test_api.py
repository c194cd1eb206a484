"""Consents and their receipts."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.errors import Forbidden
from app.identity import service as identity
from tests.app.identity.kit import Clinic, Patient, identity_number, phone_number


@pytest.fixture
def bound(clinic: Clinic) -> tuple[Patient, str]:
    patient = clinic.log_in()
    return patient, clinic.bind(patient)["person"]["id"]


def _give(patient: Patient, person_id: str, scope: list[str], recipient: str = "I1") -> Any:
    body = {"person_id": person_id, "recipient": recipient, "purpose": "claim", "scope": scope}
    return patient.post("/consents", body)


def test_a_consent_is_given_once_widened_used_and_withdrawn(clinic: Clinic, bound: tuple[Patient, str]) -> None:
    patient, person_id = bound
    given = _give(patient, person_id, ["bills", "identity"])
    assert given.status_code == 201 and given.get_json()["recipient_name"] == "甲保险"
    assert _give(patient, person_id, ["bills"]).get_json()["id"] == given.get_json()["id"]
    wider = _give(patient, person_id, ["bills", "diagnoses"]).get_json()
    assert wider["id"] != given.get_json()["id"] and wider["scope"] == ["bills", "diagnoses", "identity"]

    claim_id, consent_id = uuid4(), UUID(wider["id"])
    with clinic.runtime.work() as work:
        identity.note_shared(work, consent_id, ("bills", "identity"), claim_id)
    for what in (("reports",), ("bills", "reports")):
        with pytest.raises(Forbidden), clinic.runtime.work() as work:
            identity.note_shared(work, consent_id, what, claim_id)
    shown = patient.get("/consents").get_json()["consents"]
    assert [one["status"] for one in shown] == ["in_force", "withdrawn"]
    assert [(one["what"], one["subject_id"]) for one in shown[0]["receipts"]] == [
        (["bills", "identity"], str(claim_id))
    ]

    assert patient.post(f"/consents/{consent_id}/withdraw").get_json()["status"] == "withdrawn"
    with clinic.runtime.read() as session:
        recipient = clinic.rows("SELECT id FROM party WHERE code = 'I1'")[0].id
        assert identity.consent_in_force(session, UUID(person_id), recipient, "claim") is None
    with pytest.raises(Forbidden), clinic.runtime.work() as work:
        identity.note_shared(work, consent_id, ("bills",), claim_id)
    assert patient.post(f"/consents/{consent_id}/withdraw").status_code == 409
    assert len(patient.get("/consents").get_json()["consents"][0]["receipts"]) == 1  # what was shared stays told


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
