"""Binding over HTTP, from the phone code to the hospital's answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import NotFound
from app.identity import service as identity
from tests.app.identity.kit import Clinic, Patient, identity_number, patient_number, phone_number

CHILD = "20180601"
PROOF = {"kind": "birth_certificate", "number": "T310123456"}


def _refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_a_known_patient_is_bound_and_the_hospital_told(clinic: Clinic) -> None:
    patient = clinic.log_in()
    number, phone, patient_no = identity_number("19851224", "female"), phone_number(), patient_number()
    answer = clinic.claim(patient, name="欧阳·娜娜", document_no=number.lower(), phone=f"+86 {phone}")
    assert answer.status_code == 202 and answer.get_json()["status"] == "pending"
    assert clinic.answer_check(answer.get_json(), patient_no) == {
        "check_no": f"bd{UUID(answer.get_json()['id']).hex}",
        "name": "欧阳·娜娜",
        "document_type": "id_card",
        "document_no": number,
        "phone": phone,
        "birth_date": "1985-12-24",
        "sex": "female",
    }
    bound = patient.get("/bindings").get_json()["bindings"][0]
    person = bound["person"]
    assert (bound["status"], person["name_mask"]) == ("live", "欧****")
    assert (person["phone_mask"], person["birth_date"]) == (f"{phone[:3]}****{phone[-4:]}", "1985-12-24")
    with clinic.runtime.read() as session:
        assert [no for _, no in identity.patient_numbers(session, person["id"])] == [patient_no]
    told = [one for one in clinic.agent().poll(lanes=["pull"]) if one["body"]["patient_no"] == patient_no]
    assert [one["kind"] for one in told] == ["tie_account", "pull_patient"]
    assert told[0]["body"]["account_ref"] == identity.account_ref(clinic.runtime.privacy, patient.account_id)


def test_someone_new_to_the_hospital_is_bound_without_a_number(clinic: Clinic) -> None:
    patient = clinic.log_in()
    bound = clinic.bind(patient, None, medical_card_no="c 123-456")
    assert bound["person"]["has_medical_card"] is True
    with clinic.runtime.read() as session:
        assert identity.patient_numbers(session, UUID(bound["person"]["id"])) == []
    with clinic.runtime.work() as work:
        facts = identity.facts(work, UUID(bound["person"]["id"]), "test")
    assert (facts.name, facts.medical_card_no) == ("张三", "C123456")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"document_no": "310101199003070001"}, "证件号码不正确"),
        ({"document_no": "310101199013070019"}, "证件号码不正确"),
        ({"document_type": "passport", "document_no": "E12345678"}, "请填写出生日期和性别"),
        ({"document_type": "driving_licence"}, "不在可选范围内"),
        ({"birth_date": "1990-03-08"}, "不一致"),
        ({"sex": "female"}, "不一致"),
        ({"name": "张3"}, "姓名"),
        ({"name": " "}, "姓名"),
        ({"phone": "12345678901"}, "11 位手机号"),
        ({"phone_code": "12345"}, "格式不正确"),
        ({"relation": "friend"}, "不在可选范围内"),
        ({"consent": False}, "不在可选范围内"),
        ({"consent": 1}, "不在可选范围内"),
        ({"medical_card_no": "C'; DROP"}, "医保卡号"),
        ({"surprise": 1}, "不认识的项目"),
    ],
)
def test_what_is_wrong_is_named_in_chinese_and_not_repeated(
    clinic: Clinic, stranger: Patient, wrong: dict[str, Any], field: str
) -> None:
    number = identity_number("19900307", "male")
    body: dict[str, Any] = {"name": "张三", "document_type": "id_card", "document_no": number, "phone": phone_number()}
    body |= {"phone_code": "000000", "relation": "self", "consent": True} | wrong
    answer = stranger.post("/bindings", body)
    told = answer.get_json()
    assert _refusal(answer) == (422, "invalid")
    assert any(field in text for text in told["fields"].values()), told
    assert set(told["fields"]) <= {*wrong, "_"}
    sent = [str(value) for value in wrong.values() if isinstance(value, str) and len(value) > 3]
    assert not any(value in answer.get_data(as_text=True) for value in sent)


def test_other_documents_say_birth_date_and_sex_beside_the_number(clinic: Clinic) -> None:
    patient = clinic.log_in()
    said = {"birth_date": "1988-08-08", "sex": "female"}
    for kind, number in (
        ("passport", "G12345678"),
        ("foreign_permanent_residence", "USA110088080812"),
        ("hmt_residence_permit", identity_number("19880808", "female", area="810000")),
    ):
        number = number if kind == "hmt_residence_permit" else f"{number[:-4]}{phone_number()[-4:]}"
        bound = clinic.bind(patient, relation="other", document_type=kind, document_no=number, **said)
        assert (bound["person"]["document_type"], bound["person"]["birth_date"]) == (kind, "1988-08-08")


def test_at_most_five_and_each_document_once(clinic: Clinic) -> None:
    patient = clinic.log_in()
    first = clinic.bind(patient, document_no=(number := identity_number()))
    assert _refusal(clinic.claim(patient, document_no=number, relation="other")) == (409, "already_bound")
    assert _refusal(clinic.claim(patient)) == (409, "self_already_bound")
    for _ in range(4):
        assert clinic.claim(patient, relation="parent").status_code == 202
    assert _refusal(clinic.claim(patient, relation="spouse")) == (409, "too_many_bindings")
    assert patient.post(f"/bindings/{first['id']}/revoke").get_json()["status"] == "revoked"
    assert clinic.claim(patient).status_code == 202


def test_many_at_once_take_five_seats(clinic: Clinic) -> None:
    patient = clinic.log_in()
    phones = [phone_number() for _ in range(8)]
    codes = [clinic.phone_code(patient, phone) for phone in phones]

    def claim(place: int) -> int:
        elsewhere = Patient(clinic.client.application.test_client(), patient.tokens, patient.user)
        return clinic.claim(elsewhere, phone=phones[place], phone_code=codes[place], relation="other").status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(8))) == [202] * 5 + [409] * 3


def test_a_repeated_request_is_answered_once(clinic: Clinic) -> None:
    patient, phone = clinic.log_in(), phone_number()
    body: dict[str, Any] = {
        "name": "李四",
        "document_type": "id_card",
        "document_no": identity_number(),
        "phone": phone,
    }
    body |= {"phone_code": clinic.phone_code(patient, phone), "relation": "self", "consent": True}
    first, again = patient.post("/bindings", body, key="binding-1"), patient.post("/bindings", body, key="binding-1")
    assert first.status_code == again.status_code == 202 and first.get_json() == again.get_json()
    other = patient.post("/bindings", body | {"name": "李五"}, key="binding-1")
    assert _refusal(other) == (422, "idempotency_key_reused")


def test_a_child_is_bound_by_a_guardian_with_proof(clinic: Clinic) -> None:
    patient, phone = clinic.log_in(), phone_number()
    child: dict[str, Any] = {
        "name": "张小小",
        "document_no": identity_number(CHILD),
        "phone": phone,
        "guardian_proof": PROOF,
    }
    assert _refusal(clinic.claim(patient, **child, relation="child")) == (422, "guardian_not_bound")
    guardian = clinic.bind(patient, phone=phone_number())
    assert _refusal(clinic.claim(patient, **child | {"phone": phone_number()}, relation="self"))[0] == 409
    without = {**child, "guardian_proof": None, "phone": phone_number()}
    assert _refusal(clinic.claim(patient, **without, relation="child")) == (422, "guardian_needed")
    bound = clinic.bind(patient, **child | {"phone": phone_number()}, relation="child")
    person_id = UUID(bound["person"]["id"])
    with clinic.runtime.read() as session:
        assert str(identity.guardian_of(session, patient.account_id, person_id)) == guardian["person"]["id"]
        assert identity.is_child(session, person_id, clinic.runtime.clock.today())
        assert not identity.is_child(session, UUID(guardian["person"]["id"]), clinic.runtime.clock.today())
    answer = patient.post(f"/bindings/{guardian['id']}/revoke")
    assert _refusal(answer) == (409, "revoke_children_first")


def test_a_child_binds_nobody_and_a_minor_guards_nobody(clinic: Clinic) -> None:
    patient = clinic.log_in()
    alone = clinic.claim(patient, document_no=identity_number(CHILD), relation="self", guardian_proof=PROOF)
    assert _refusal(alone) == (422, "guardian_needed")
    clinic.bind(patient, document_no=identity_number("20100101"))  # sixteen: old enough for himself
    child = clinic.claim(patient, document_no=identity_number(CHILD), relation="child", guardian_proof=PROOF)
    assert _refusal(child) == (422, "guardian_not_bound")


def test_dates_that_cannot_be(clinic: Clinic) -> None:
    patient = clinic.log_in()
    tomorrow = clinic.runtime.clock.today() + timedelta(days=1)
    unborn = {
        "document_type": "passport",
        "document_no": "G87654321",
        "birth_date": tomorrow.isoformat(),
        "sex": "male",
    }
    assert _refusal(clinic.claim(patient, **unborn)) == (422, "birth_date_future")
    grown = {
        "document_type": "birth_certificate",
        "document_no": "T310000001",
        "birth_date": "1990-01-01",
        "sex": "male",
    }
    assert _refusal(clinic.claim(patient, **grown)) == (422, "document_too_young")


def test_revoking_unties_the_account_and_hides_the_person(clinic: Clinic) -> None:
    patient, patient_no = clinic.log_in(), patient_number()
    bound = clinic.bind(patient, patient_no)
    person_id = UUID(bound["person"]["id"])
    clinic.agent().poll(lanes=["pull"])
    answer = patient.post(f"/bindings/{bound['id']}/revoke").get_json()
    assert (answer["status"], answer["person"]) == ("revoked", None)
    told = [one for one in clinic.agent().poll(lanes=["pull"]) if one["body"]["patient_no"] == patient_no]
    assert [one["kind"] for one in told if one["kind"] == "untie_account"] == ["untie_account"]
    with clinic.runtime.read() as session:
        assert not identity.bound_pairs(session, [(patient.account_id, person_id)])
        with pytest.raises(NotFound):
            identity.require_person(session, patient.account_id, person_id)
    assert _refusal(patient.post(f"/bindings/{bound['id']}/revoke")) == (409, "state_changed")


def test_a_revoked_claim_is_asked_no_more(clinic: Clinic) -> None:
    patient = clinic.log_in()
    pending = clinic.claim(patient).get_json()
    patient.post(f"/bindings/{pending['id']}/revoke")
    asked = [one["body"]["check_no"] for one in clinic.agent().poll(lanes=["identity"])]
    assert f"bd{UUID(pending['id']).hex}" not in asked
    assert clinic.rows("SELECT claim_sealed FROM binding WHERE id = :id", id=pending["id"]) == [(None,)]


def test_nobody_reaches_anothers_binding(clinic: Clinic) -> None:
    mine, other = clinic.log_in(), clinic.log_in()
    bound = clinic.bind(mine)
    assert other.get(f"/bindings/{bound['id']}").status_code == 404
    assert other.post(f"/bindings/{bound['id']}/revoke").status_code == 404
    assert other.get("/bindings").get_json() == {"bindings": []}
    with clinic.runtime.read() as session, pytest.raises(NotFound):
        identity.require_person(session, other.account_id, UUID(bound["person"]["id"]))


def test_nothing_personal_is_stored_in_plain_text(clinic: Clinic) -> None:
    patient, phone, number = clinic.log_in(), phone_number(), identity_number("19770707")
    clinic.bind(patient, name="慕容雪村", document_no=number, phone=phone, medical_card_no="CARD778899")
    tables = [row[0] for row in clinic.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        for row in clinic.rows(f'SELECT * FROM "{table}"'):  # noqa: S608
            plain = [secret for secret in ("慕容雪村", number, phone, "CARD778899") if secret in str(row)]
            assert not plain, table


@pytest.fixture
def stranger(clinic: Clinic) -> Patient:
    return clinic.log_in()
