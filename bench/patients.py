"""Patients in bulk: each an account with a live binding to a person of its own, all known to one hospital."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from app.core.ids import new_id
from app.core.work import Runtime, Work
from app.exchange.service import NewParty, put_partner, put_party
from app.identity.credential import registry
from app.identity.credential.registry import NewApp
from app.identity.login.models import Account
from app.identity.person import people
from app.identity.person.models import Binding, PatientNumber, Person

APP = NewApp("wxbench", "oa", "gh_bench", "example.com", "plain", {}, "secret", "token", "a" * 43)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Patient:
    account_id: UUID
    person_id: UUID
    patient_no: str


@dataclass(frozen=True)
class Town:
    hospital_id: UUID
    interface_id: UUID
    partner_id: UUID
    patients: list[Patient]


def settle(runtime: Runtime, count: int, *, n: int = 100, window_s: float = 60.0) -> Town:
    """One hospital with `count` patients, and the medical-insurance interface with its limit."""
    with runtime.work() as work:
        hospital_id = put_party(work, NewParty("hospital", "H1", "第一医院"))
        interface_id = put_party(work, NewParty("medical_insurance", "M1", "医保局", {"n": n, "window_s": window_s}))
        partner_id = put_partner(work, interface_id, "M1-agent")
        registry.put_app(work, hospital_id, APP)
        patients = _enter(work, hospital_id, count)
    return Town(hospital_id, interface_id, partner_id, patients)


def _enter(work: Work, hospital_id: UUID, count: int) -> list[Patient]:
    patients = [Patient(new_id(), new_id(), f"P{number:07d}") for number in range(count)]
    persons = [person_row(work, patient.person_id, number) for number, patient in enumerate(patients)]
    accounts = [{"id": one.account_id, "app_id": APP.app_id, "openid": f"o{one.patient_no}"} for one in patients]
    bindings = [binding_row(work, hospital_id, one.account_id, row) for one, row in zip(patients, persons, strict=True)]
    numbers = [
        {"hospital_id": hospital_id, "patient_no": one.patient_no, "person_id": one.person_id} for one in patients
    ]
    for model, rows in ((Person, persons), (Account, accounts), (Binding, bindings), (PatientNumber, numbers)):
        for begin in range(0, count, 1000):
            work.session.execute(insert(model), rows[begin : begin + 1000])
    return patients


def person_row(work: Work, person_id: UUID, number: int) -> dict[str, Any]:
    """All columns of the `number`-th person; no two have one document."""
    document_no, phone, card = _identity_number(number), f"139{number:08d}", f"M{number:09d}"
    row: dict[str, Any] = {"id": person_id, "document_type": "id_card", "birth_date": date(1990, 3, 7)}
    sealed = {"document_no": document_no, "name": "张三", "phone": phone, "medical_card_no": card}
    for column, value in sealed.items():
        row[f"{column}_sealed"] = work.privacy.seal(value, f"person:{column}_sealed:{person_id}")
    return row | {
        "document_index": people.document_index(work.privacy, "id_card", document_no),
        "document_mask": "320***********0000",
        "name_index": work.privacy.index("张三", "name"),
        "name_mask": "张*",
        "phone_index": people.phone_index(work.privacy, phone),
        "phone_mask": "139****0000",
        "medical_card_index": work.privacy.index(card, "medical_card"),
        "sex": "male",
        "confirmed": True,
    }


def binding_row(work: Work, hospital_id: UUID, account_id: UUID, person: dict[str, Any]) -> dict[str, Any]:
    """The account acts for its own person."""
    return {
        "id": new_id(),
        "account_id": account_id,
        "hospital_id": hospital_id,
        "person_id": person["id"],
        "relation": "self",
        "seat": 1,
        "document_index": person["document_index"],
        "name_mask": person["name_mask"],
        "status": "live",
        "child": False,
        "consented_at": work.now,
        "expires_at": work.now + timedelta(minutes=5),
    }


def _identity_number(number: int) -> str:
    """A resident identity number of a man (odd ordinal) who does not exist; the check digit of GB 11643-1999."""
    body = f"32{number // 500:04d}19900307{number % 500 * 2 + 1:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]
