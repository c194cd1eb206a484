"""Booking with the medical-insurance card: shown to the hospital sealed, refused clearly, and nothing follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.appointment.kit import Desk
from tests.app.patients import Known, refusal


def ask(desk: Desk, patient: Known, slot_id: Any, **card: Any) -> Any:
    body = {"person_id": str(patient.person_id), "slot_id": str(slot_id), **card}
    return patient.post("/appointments", body)


def test_the_card_of_the_binding_goes_to_the_hospital_sealed(desk: Desk) -> None:
    patient, slot_id = desk.house.known(card="C555666777"), desk.slot()
    desk.book(patient, slot_id)
    sealed = desk.house.value("SELECT body_sealed FROM command ORDER BY id DESC LIMIT 1")
    assert "C555666777" not in sealed
    (asked,) = desk.house.answer("booking", lambda command: {"outcome": "done"})
    assert asked["body"]["medical_card_no"] == "C555666777"


def test_a_card_shown_for_the_first_time_becomes_the_persons(desk: Desk) -> None:
    patient = desk.house.known(card=None)
    assert ask(desk, patient, desk.slot(), medical_card_no="c 555-666").status_code == 201
    (asked,) = desk.house.answer("booking", lambda command: {"outcome": "done"})
    assert asked["body"]["medical_card_no"] == "C555666"
    assert ask(desk, patient, desk.slot()).status_code == 201
    assert ask(desk, patient, desk.slot(), medical_card_no="C555666").status_code == 201


@pytest.mark.parametrize(
    ("known", "given", "status", "code"),
    [
        (None, None, 422, "medical_card_required"),
        (None, "", 422, "medical_card_required"),
        (None, "C'; DROP", 422, "medical_card_invalid"),
        ("C100200300", "12", 422, "medical_card_invalid"),
        ("C100200300", "C999999999", 409, "medical_card_differs"),
        (None, "9" * 41, 422, "invalid"),
    ],
)
def test_a_card_that_is_missing_or_wrong_is_refused_and_nothing_follows(
    desk: Desk, known: str | None, given: str | None, status: int, code: str
) -> None:
    patient, slot_id = desk.house.known(card=known), desk.slot(fee_fen=2500)
    answer = ask(desk, patient, slot_id, medical_card_no=given)
    assert refusal(answer, status) == code and answer.get_json()["message"]
    told = {name: value for name, value in answer.get_json().items() if name != "request_id"}
    assert not given or given not in str(told)
    assert desk.left(slot_id)[0] == 0
    for table in ("appointment", "payment_order", "notice"):
        mine = f"SELECT count(*) FROM {table} WHERE account_id = :id"  # noqa: S608
        assert desk.house.value(mine, id=patient.account_id) == 0
    bare = "SELECT medical_card_no_sealed IS NULL FROM person WHERE id = :id"
    assert desk.house.value(bare, id=patient.person_id) == (known is None)


def test_who_pays_for_everything_shows_no_card(desk: Desk) -> None:
    for patient in (desk.house.known(card=None), desk.house.known()):
        made = ask(desk, patient, desk.slot(), self_pay=True)
        assert made.status_code == 201 and made.get_json()["self_pay"]
        (asked,) = desk.house.answer("booking", lambda command: {"outcome": "done"})
        assert asked["body"]["medical_card_no"] is None


@pytest.mark.parametrize("given", [1, "yes", "true", None])
def test_self_pay_is_chosen_with_true_and_nothing_else(desk: Desk, given: Any) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    assert refusal(ask(desk, patient, slot_id, self_pay=given), 422)
    assert refusal(desk.wait(patient, slot_id, self_pay=given), 422) and desk.left(slot_id)[0] == 0


@pytest.mark.parametrize("code", ["card_invalid", "card_mismatch"])
def test_a_card_that_the_hospital_refuses_is_told_with_what_is_free(desk: Desk, code: str) -> None:
    near = f"near-{code}"
    slot_id, other = desk.slot(department_code=near), desk.slot(department_code=near)
    patient = desk.house.known()
    row = desk.book(patient, slot_id)
    desk.confirm(outcome="refused", code=code)
    shown = desk.read(patient, row)
    assert (shown["status"], shown["refused_code"]) == ("refused", code) and "医保卡" in shown["refused"]
    assert str(other) in {slot["id"] for slot in shown["nearby"]}
    assert desk.notices(row) == ["appointment_refused"]
    assert desk.house.value("SELECT count(*) FROM registration WHERE person_id = :id", id=patient.person_id) == 0
