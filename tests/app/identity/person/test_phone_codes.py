"""Codes that prove a phone: who may ask, how often, and how many guesses there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import text

from app.identity import service as identity
from app.identity.person import phone_codes
from tests.app.identity.kit import Clinic, Patient, identity_number, phone_number


def _newest(clinic: Clinic, patient: Patient) -> Any:
    query = "SELECT * FROM sms_code WHERE account_id = :id ORDER BY id DESC LIMIT 1"
    return clinic.rows(query, id=patient.account_id)[0]


def _spend(clinic: Clinic, patient: Patient, phone: str) -> None:
    with clinic.runtime.work() as work:
        phone_codes.use(work, patient.account_id, phone, clinic.phone_code(patient, phone))


def test_the_wish_is_an_event_and_the_code_is_drawn_once(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr("app.core.work.Work.emit", lambda work, event, subject, **_: heard.append((event, subject)))
    patient, phone = clinic.log_in(), phone_number()
    answer = patient.post("/phone-codes", {"phone": phone})
    assert answer.status_code == 202 and answer.get_json() == {"expires_in_s": 600, "again_in_s": 60}
    row = _newest(clinic, patient)
    assert ("identity.phone_code_wanted", row.id) in heard and row.code_hash is None
    with clinic.runtime.work() as work:
        issued = identity.issue_phone_code(work, row.id)
    with clinic.runtime.work() as work:
        assert identity.issue_phone_code(work, row.id) is None
    assert issued is not None and issued.phone == phone and issued.minutes == 10
    assert issued.code not in str(_newest(clinic, patient)) and issued.code not in repr(issued)


def test_a_code_counts_once_and_only_the_newest(clinic: Clinic) -> None:
    patient, phone = clinic.log_in(), phone_number()
    old = clinic.phone_code(patient, phone)
    with time_machine.travel(clinic.runtime.clock.now() + timedelta(seconds=61)):
        new = clinic.phone_code(patient, phone)
    if old != new:
        assert clinic.claim(patient, phone=phone, phone_code=old).get_json()["code"] == "phone_code_wrong"
    assert clinic.claim(patient, phone=phone, phone_code=new).status_code == 202
    again = clinic.claim(patient, phone=phone, phone_code=new, relation="other")
    assert again.get_json()["code"] == "phone_code_wrong"


def test_a_code_is_good_for_its_phone_its_account_and_ten_minutes(clinic: Clinic) -> None:
    patient, other, phone = clinic.log_in(), clinic.log_in(), phone_number()
    code = clinic.phone_code(patient, phone)
    assert clinic.claim(other, phone=phone, phone_code=code).status_code == 422
    assert clinic.claim(patient, phone=phone_number(), phone_code=code).status_code == 422
    with time_machine.travel(clinic.runtime.clock.now() + timedelta(minutes=10, seconds=1)):
        late = Patient(patient.client, clinic.log_in(user=patient.user).tokens, patient.user)
        assert clinic.claim(late, phone=phone, phone_code=code).status_code == 422
    assert clinic.claim(patient, phone=phone, phone_code=code).status_code == 202


def test_five_guesses_and_no_more(clinic: Clinic) -> None:
    patient, phone = clinic.log_in(), phone_number()
    code = clinic.phone_code(patient, phone)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        assert clinic.claim(patient, phone=phone, phone_code=wrong).get_json()["code"] == "phone_code_wrong"
    assert clinic.claim(patient, phone=phone, phone_code=code).get_json()["code"] == "phone_code_wrong"
    assert _newest(clinic, patient).tries == 6


def test_guesses_at_the_same_moment_are_all_counted(clinic: Clinic) -> None:
    patient, phone = clinic.log_in(), phone_number()
    code = clinic.phone_code(patient, phone)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    def guess(_: int) -> int:
        elsewhere = Patient(clinic.client.application.test_client(), patient.tokens, patient.user)
        return clinic.claim(elsewhere, phone=phone, phone_code=wrong).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(guess, range(8))) == {422}
    assert _newest(clinic, patient).tries == 8
    assert clinic.claim(patient, phone=phone, phone_code=code).status_code == 422


def test_what_is_wrong_elsewhere_does_not_use_the_code_up(clinic: Clinic) -> None:
    patient, phone = clinic.log_in(), phone_number()
    code = clinic.phone_code(patient, phone)
    child = identity_number("20180601")
    assert (
        clinic.claim(patient, phone=phone, phone_code=code, document_no=child).get_json()["code"] == "guardian_needed"
    )
    assert clinic.claim(patient, phone=phone, phone_code=code).status_code == 202


def test_an_unused_code_makes_the_next_wait_a_minute(clinic: Clinic) -> None:
    patient, phone = clinic.log_in(), phone_number()
    clinic.phone_code(patient, phone)
    answer = patient.post("/phone-codes", {"phone": phone})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "phone_code_too_soon")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert clinic.log_in().post("/phone-codes", {"phone": phone}).status_code == 429  # another account, the same phone


def test_ten_a_day_for_a_phone_whoever_asks(clinic: Clinic) -> None:
    phone = phone_number()
    for _ in range(10):
        _spend(clinic, clinic.log_in(), phone)
    answer = clinic.log_in().post("/phone-codes", {"phone": phone})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "phone_code_limit")


def test_ten_a_day_for_an_account_whichever_phone(clinic: Clinic) -> None:
    patient = clinic.log_in()
    for _ in range(10):
        clinic.phone_code(patient, phone_number())
    answer = patient.post("/phone-codes", {"phone": phone_number()})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "phone_code_limit")


def test_the_limits_stand_in_the_database_too(clinic: Clinic) -> None:
    patient = clinic.log_in()
    clinic.phone_code(patient, phone_number())
    row = _newest(clinic, patient)._asdict()
    for wrong in ({"phone_place": 11}, {"account_place": 11}, {"account_place": row["account_place"]}):
        copy = row | {"id": "018f0000-0000-7000-8000-000000000001", "phone_index": "x", "account_place": 2} | wrong
        columns = ", ".join(copy)
        values = ", ".join(f":{name}" for name in copy)
        with pytest.raises(Exception, match=r"ck_sms_code|uq_sms_code"), clinic.runtime.work() as work:
            work.session.execute(text(f"INSERT INTO sms_code ({columns}) VALUES ({values})"), copy)  # noqa: S608
