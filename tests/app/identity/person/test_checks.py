"""What a hospital answers to an identity check, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import Invalid, NotFound
from app.identity import service as identity
from app.identity.person import service
from tests.app.identity.kit import Clinic, Patient, identity_number, patient_number, phone_number


def _state(patient: Patient, binding: Any) -> dict[str, Any]:
    found: dict[str, Any] = patient.get(f"/bindings/{binding['id']}").get_json()
    return found


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("name_mismatch", "姓名"),
        ("document_unknown", "证件"),
        ("phone_mismatch", "手机号"),
        ("weather", "医院没有通过"),
    ],
)
def test_a_refusal_is_final_and_explained(clinic: Clinic, code: str, reason: str) -> None:
    patient = clinic.log_in()
    pending = clinic.claim(patient).get_json()
    clinic.answer_check(pending, outcome="refused", code=code)
    found = _state(patient, pending)
    assert (found["status"], found["refused_code"], found["person"]) == ("refused", code, None)
    assert reason in found["reason"]
    assert clinic.rows("SELECT claim_sealed FROM binding WHERE id = :id", id=pending["id"]) == [(None,)]
    assert clinic.claim(patient).status_code == 202  # the seat is free again


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_hospital_that_cannot_answer_is_asked_again_under_the_same_number(clinic: Clinic, outcome: str) -> None:
    patient, patient_no = clinic.log_in(), patient_number()
    pending = clinic.claim(patient).get_json()
    first = clinic.answer_check(pending, outcome=outcome)
    assert _state(patient, pending)["status"] == "pending"
    clinic.drain_all("identity.ask_hospital", hurry=True)
    assert clinic.answer_check(pending, patient_no) == first
    assert _state(patient, pending)["status"] == "live"


@pytest.mark.parametrize("nonsense", [7, "", "x" * 65, ["1"], {"no": 1}, "1\n2"])
def test_an_answer_that_makes_no_sense_is_no_answer(clinic: Clinic, nonsense: Any) -> None:
    patient = clinic.log_in()
    pending = clinic.claim(patient).get_json()
    clinic.answer_check(pending, nonsense)
    assert _state(patient, pending)["status"] == "pending"
    clinic.drain_all("identity.ask_hospital", hurry=True)
    clinic.answer_check(pending, None)
    assert _state(patient, pending)["status"] == "live"


def test_an_answer_that_comes_twice_or_late_changes_nothing(clinic: Clinic) -> None:
    patient = clinic.log_in()
    pending = clinic.claim(patient).get_json()
    clinic.answer_check(pending, patient_number())
    live = _state(patient, pending)
    commands = clinic.rows("SELECT id FROM command WHERE subject = :id", id=pending["id"])
    with clinic.runtime.work() as work:
        work.emit("exchange.answered.verify_identity", commands[0].id)
    clinic.drain_all("identity.hospital_answered")
    assert _state(patient, pending) == live

    late = clinic.claim(patient, relation="other").get_json()
    clinic.rows("UPDATE binding SET expires_at = now() - interval '1 second' WHERE id = :id", id=late["id"])
    with clinic.runtime.work() as work:
        assert service.expire_pending(work) >= 1
    clinic.answer_check(late, patient_number())
    assert _state(patient, late)["status"] == "expired"


def test_a_claim_nobody_answers_ends_by_the_clock(clinic: Clinic) -> None:
    patient = clinic.log_in()
    pending = clinic.claim(patient).get_json()
    rows = clinic.rows("SELECT expires_at - created_at FROM binding WHERE id = :id", id=pending["id"])
    assert timedelta(minutes=29) < rows[0][0] <= timedelta(minutes=31)
    clinic.rows("UPDATE binding SET expires_at = now() WHERE id = :id", id=pending["id"])
    with clinic.runtime.work() as work:
        work.later("identity.sweep", None)
    clinic.drain_all("identity.sweep")
    assert _state(patient, pending)["status"] == "expired"
    asked = [one["body"]["check_no"] for one in clinic.agent().poll(lanes=["identity"])]
    clinic.drain_all("identity.ask_hospital", hurry=True)
    assert f"bd{UUID(pending['id']).hex}" in asked  # the command's own deadline is the first one's


def test_two_accounts_may_act_for_one_person(clinic: Clinic) -> None:
    number, phone, patient_no = identity_number(), phone_number(), patient_number()
    first, second = clinic.log_in(), clinic.log_in()
    one = clinic.bind(first, patient_no, document_no=number, phone=phone)
    two = clinic.bind(second, patient_no, document_no=number, phone=phone, relation="spouse")
    assert one["person"]["id"] == two["person"]["id"]
    with clinic.runtime.read() as session:
        person_id = UUID(one["person"]["id"])
        pairs = {(one.account_id, person_id) for one in (first, second)}
        assert identity.bound_pairs(session, pairs) == pairs
        hospital = identity.patient_numbers(session, person_id)[0][0]
        ties = identity.ties(session, clinic.runtime.privacy, hospital)
    refs = {identity.account_ref(clinic.runtime.privacy, one.account_id) for one in (first, second)}
    assert {(ref, patient_no) for ref in refs} <= ties.keys()


def test_a_stranger_cannot_join_a_person_through_a_hospital_that_does_not_know_it(clinic: Clinic) -> None:
    number, phone = identity_number(), phone_number()
    clinic.bind(clinic.log_in(), patient_number(), document_no=number, phone=phone, name="王五")
    stranger = clinic.log_in("H2")
    for claimed in ({"name": "王五"}, {"name": "王八", "phone": phone}):
        pending = clinic.claim(stranger, document_no=number, **claimed).get_json()
        clinic.answer_check(pending, None, at="H2")
        assert _state(stranger, pending)["refused_code"] == "details_differ"
    owner = clinic.bind(clinic.log_in("H2"), None, at="H2", document_no=number, phone=phone, name="王五")
    assert owner["status"] == "live"


def test_a_hospital_that_knows_the_person_ends_what_an_impostor_claimed_first(clinic: Clinic) -> None:
    number = identity_number()
    impostor, owner = clinic.log_in("H2"), clinic.log_in()
    false = clinic.bind(impostor, None, at="H2", document_no=number, name="假名")
    true = clinic.bind(owner, patient_number(), document_no=number, name="真名")
    assert false["person"]["id"] == true["person"]["id"]
    assert _state(impostor, false)["status"] == "revoked"
    assert _state(owner, true)["status"] == "live"
    with clinic.runtime.work() as work:
        assert identity.facts(work, UUID(true["person"]["id"]), "test").name == "真名"


def test_a_number_that_is_another_persons_is_refused(clinic: Clinic) -> None:
    patient_no = patient_number()
    clinic.bind(clinic.log_in(), patient_no)
    second = clinic.log_in()
    pending = clinic.claim(second).get_json()
    clinic.answer_check(pending, patient_no)
    assert _state(second, pending)["refused_code"] == "patient_number_taken"


def test_a_number_given_later_is_told_to_the_hospital_once(clinic: Clinic) -> None:
    patient, patient_no = clinic.log_in(), patient_number()
    person_id = UUID(clinic.bind(patient, None)["person"]["id"])
    hospital_id = clinic.rows("SELECT id FROM party WHERE code = 'H1'")[0].id

    def give(number: str) -> bool:
        with clinic.runtime.work() as work:
            return identity.set_patient_number(work, hospital_id, number, person_id)

    assert (give(patient_no), give(patient_no)) == (True, False)
    told = [one for one in clinic.agent().poll(lanes=["pull"]) if one["body"]["patient_no"] == patient_no]
    assert [one["kind"] for one in told] == ["tie_account", "pull_patient"]
    newer = patient_number()
    assert give(newer)  # the hospital has merged two files
    with clinic.runtime.read() as session:
        assert identity.patient_number(session, hospital_id, person_id) == newer
        assert identity.person_of_patient(session, hospital_id, patient_no) is None
    other = UUID(clinic.bind(clinic.log_in(), None)["person"]["id"])
    with pytest.raises(Invalid), clinic.runtime.work() as work:
        identity.set_patient_number(work, hospital_id, newer, other)


def test_reading_facts_leaves_one_audit_entry_each(clinic: Clinic) -> None:
    people = [UUID(clinic.bind(clinic.log_in(), None)["person"]["id"]) for _ in range(2)]
    with clinic.runtime.work() as work:
        assert set(identity.facts_of(work, people, "claim package")) == set(people)
    reads = "SELECT subject_id, detail->>'why' AS why FROM audit_entry WHERE action = 'read.person'"
    found = clinic.rows(f"{reads} AND subject_id = ANY(:ids)", ids=people)
    assert sorted((row.subject_id, row.why) for row in found) == sorted((one, "claim package") for one in people)
    with pytest.raises(NotFound), clinic.runtime.work() as work:
        identity.facts(work, UUID(int=7), "nobody")
