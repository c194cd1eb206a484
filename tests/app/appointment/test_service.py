"""Booking: never oversold, one live place for a person, the fee first, the hospital's word, every way to end."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from app.appointment import rules, service
from app.appointment.models import Appointment
from app.appointment.rules import ask_pause
from app.appointment.states import State, appointments
from app.core.clock import SHANGHAI
from app.core.errors import LostRace
from app.core.ids import partner_number
from app.payment import service as payment
from tests.app.appointment.kit import Desk
from tests.app.kit import Thread
from tests.app.patients import Known, department, doctor, refusal, slot

FEE = 2500


def test_a_place_is_taken_confirmed_and_told(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.book(patient, slot_id)
    assert (row["status"], row["fee_fen"], row["payment_id"], desk.left(slot_id)) == ("pending", 0, None, (1, 20))
    (asked,) = desk.house.answer("booking", lambda command: {"outcome": "done"})
    assert asked["body"]["document_no"] == patient.document_no and asked["body"]["appointment_no"] == row["no"]
    desk.house.drain_all("appointment.confirmed")
    assert desk.read(patient, row)["status"] == "booked"
    assert desk.notices(row) == ["appointment_booked"]
    assert [one["id"] for one in patient.get("/appointments").get_json()["items"]] == [row["id"]]


def _ask_all(desk: Desk, slot_id: UUID, patients: list[Known]) -> list[TestResponse]:
    return [desk.ask(patient, slot_id) for patient in patients]


def test_ten_tries_of_each_take_one_place_each(desk: Desk) -> None:
    slot_id, patients = desk.slot(capacity=20), [desk.house.known() for _ in range(20)]
    # Ten tries of each person: another index refuses the second live one.
    tries = [desk.house.elsewhere(patient) for patient in patients for _ in range(10)]
    waves = [tries[n::8] for n in range(8)]
    done = [Thread(partial(_ask_all, desk, slot_id, wave)) for wave in waves]
    answers = [answer for thread in done for answer in thread.result(60)]
    codes = [a.get_json().get("code", "sold") for a in answers]
    assert {a.status_code for a in answers} == {201, 409}
    assert codes.count("sold") == 20 and set(codes) <= {"sold", "already_booked"}
    assert desk.left(slot_id) == (20, 20)
    stranger = desk.house.known()
    assert refusal(desk.ask(stranger, slot_id), 409) == "slot_full"


def test_more_people_than_places(desk: Desk) -> None:
    slot_id, patients = desk.slot(capacity=5), [desk.house.known() for _ in range(24)]
    done = [Thread(partial(_ask_all, desk, slot_id, [desk.house.elsewhere(patient)])) for patient in patients]
    codes = [answer.status_code for thread in done for answer in thread.result(60)]
    assert (codes.count(201), codes.count(409)) == (5, 19)
    live = "SELECT count(*) FROM appointment WHERE slot_id = :id AND status = 'pending'"
    assert (desk.house.value(live, id=slot_id), desk.left(slot_id)) == (5, (5, 5))


def test_the_database_refuses_what_the_program_might_forget(desk: Desk) -> None:
    slot_id = desk.slot(capacity=1)
    with pytest.raises(Exception, match="ck_slot_taken"):
        desk.house.rows("UPDATE slot SET taken = 2 WHERE id = :id", id=slot_id)


@pytest.mark.parametrize(
    ("how", "code"),
    [({"capacity": 0}, "slot_full"), ({"status": "stopped"}, "slot_stopped"), ({"in_h": -5}, "slot_past")],
)
def test_a_slot_that_cannot_be_had_names_what_is_free_nearby(desk: Desk, how: dict[str, Any], code: str) -> None:
    near = uuid4().hex[:8]
    slot_id = desk.slot(department_code=near, **{"in_h": 24} | how)
    free = [desk.slot(department_code=near, in_h=hours) for hours in (30, 26, 100, 40, 60, 80)]
    desk.slot(department_code=near, in_h=25, status="stopped")
    desk.slot(department_code=near, in_h=25, capacity=0)
    answer = desk.ask(desk.house.known(), slot_id)
    assert refusal(answer, 409) == code
    named = list(answer.get_json()["fields"])
    assert len(named) == 5 and set(named) < {str(one) for one in free}
    assert str(free[2]) not in named, "the farthest is not nearby"
    assert desk.left(slot_id)[0] == 0


def test_one_person_has_one_live_place_in_a_slot(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot(capacity=1)
    row = desk.booked(patient, slot_id)
    assert refusal(desk.ask(patient, slot_id), 409) == "already_booked"
    patient.post(f"/appointments/{row['id']}/cancel")
    assert desk.book(patient, slot_id)["status"] == "pending"


def test_nobody_books_for_a_stranger_or_a_slot_that_is_not_there(desk: Desk) -> None:
    patient, stranger, slot_id = desk.house.known(), desk.house.known(), desk.slot()
    body = {"person_id": str(patient.person_id), "slot_id": str(slot_id)}
    assert refusal(stranger.post("/appointments", body), 404)
    assert refusal(desk.ask(patient, uuid4()), 404)
    row = desk.book(patient, slot_id)
    assert refusal(stranger.get(f"/appointments/{row['id']}"), 404)
    assert refusal(stranger.post(f"/appointments/{row['id']}/cancel"), 404)
    assert desk.left(slot_id)[0] == 1


def test_a_retried_request_is_one_appointment(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    body = {"person_id": str(patient.person_id), "slot_id": str(slot_id)}
    first, again = (patient.post("/appointments", body, key="one-and-the-same").get_json() for _ in range(2))
    assert first == again and desk.left(slot_id)[0] == 1


def test_with_a_fee_the_hospital_is_asked_only_after_it_is_paid(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    assert row["payment_id"] and row["pay_by"] and desk.confirm() == []
    desk.pay(patient, row)
    assert desk.confirm() == ["confirm_appointment"]
    assert desk.read(patient, row)["status"] == "booked"


def test_a_fee_that_cannot_be_paid_from_this_app_takes_no_place(desk: Desk) -> None:
    slot_id = desk.slot(fee_fen=FEE)
    assert refusal(desk.ask(desk.house.known("H2"), slot_id), 409) == "pay_elsewhere"
    assert desk.left(slot_id)[0] == 0


@pytest.mark.parametrize("code", rules.UNPAID)
def test_an_unpaid_place_is_free_and_the_patient_told_why(desk: Desk, code: str) -> None:
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    if code == "order_refused":
        body = {"code": "PARAM_ERROR", "message": "-"}
        desk.house.wechat.fail(r"/v3/pay/transactions/jsapi$", status=400, body=body)
    desk.house.drain_all("payment.prepay")
    if code == "pay_disputed":
        with desk.house.runtime.work() as work:
            payment.paid(work, UUID(row["payment_id"]), {"amount": {"total": 1}, "trade_state": "SUCCESS"})
    desk.house.rows("UPDATE payment_order SET expires_at = now() WHERE id = :id", id=row["payment_id"])
    desk.house.drain_all("payment.close", "payment.look", "appointment.fee_closed", hurry=True)
    shown = desk.read(patient, row)
    assert (shown["status"], desk.left(slot_id)[0]) == ("expired", 0)
    assert (shown["refused_code"], shown["refused"]) == (code, rules.REFUSALS[code])
    assert [one["text"] for one in patient.get("/notices").get_json()["items"]] == [rules.UNPAID[code]]
    assert desk.confirm() == []


def test_a_fee_for_an_appointment_that_is_over_goes_back(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    desk.house.drain_all("payment.prepay")
    patient.post(f"/appointments/{row['id']}/cancel")
    desk.pay(patient, row)  # before the order could be closed at WeChat
    assert refunds(desk, row) == 1
    desk.house.drain_all("payment.close", "appointment.fee_paid", hurry=True)
    assert refunds(desk, row) == 1
    assert desk.confirm() == []


@pytest.mark.parametrize(("config", "minutes"), [({}, 60), ({"cancel_before_min": 1440}, 1440)])
def test_the_hospital_says_until_when_a_visit_can_be_cancelled(
    desk: Desk, config: dict[str, int], minutes: int
) -> None:
    patient, slot_id = desk.house.known(), desk.slot(in_h=48)
    row = desk.booked(patient, slot_id)
    update = "UPDATE party SET config = config - 'cancel_before_min' || CAST(:config AS jsonb) WHERE code = 'H1'"
    desk.house.rows(update, config=json.dumps(config))
    move = "UPDATE slot SET starts_at = now() + make_interval(mins => :mins) WHERE id = :id"
    desk.house.rows(move, mins=minutes - 1, id=slot_id)
    assert refusal(patient.post(f"/appointments/{row['id']}/cancel"), 409) == "too_late"
    desk.house.rows(move, mins=minutes + 1, id=slot_id)
    shown = desk.read(patient, row)
    early = datetime.fromisoformat(shown["starts_at"]) - datetime.fromisoformat(shown["cancel_until"])
    assert early == timedelta(minutes=minutes)
    assert patient.post(f"/appointments/{row['id']}/cancel").status_code == 200
    desk.house.rows(update, config="{}")


def test_what_is_free_nearby_can_be_listed(desk: Desk) -> None:
    near = uuid4().hex[:8]
    noon = (desk.house.runtime.clock.now().astimezone(SHANGHAI) + timedelta(days=3)).replace(hour=12, minute=0)

    def at(days: int, hours: int, doctor: str) -> UUID:
        start = noon + timedelta(days=days, hours=hours)
        when = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
        return desk.slot(department_code=near, doctor_code=doctor, **when)

    full = at(0, 0, "D1")
    tomorrow, later, other, far = at(1, 0, "D1"), at(0, 5, "D1"), at(0, 1, "D2"), at(9, 0, "D1")
    shown = desk.house.known().get(f"/slots/{full}/nearby").get_json()["items"]
    assert [one["id"] for one in shown] == [str(later), str(other), str(tomorrow)] and str(far)
    assert refusal(desk.house.known().get(f"/slots/{uuid4()}/nearby"), 404)


def refunds(desk: Desk, row: Any) -> int:
    query = "SELECT count(*) FROM refund WHERE order_id = :id AND amount_fen = :fee"
    return int(desk.house.value(query, id=row["payment_id"], fee=FEE))


@pytest.mark.parametrize("paid", [False, True])
def test_cancelling_frees_the_place_and_returns_the_fee(desk: Desk, paid: bool) -> None:
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    if paid:
        desk.pay(patient, row)
        desk.confirm()
    assert patient.post(f"/appointments/{row['id']}/cancel").get_json()["status"] == "cancelled"
    assert desk.left(slot_id)[0] == 0
    assert refunds(desk, row) == (1 if paid else 0)
    assert desk.confirm() == (["cancel_appointment"] if paid else [])
    assert refusal(patient.post(f"/appointments/{row['id']}/cancel"), 409) == "state_changed"
    assert desk.left(slot_id)[0] == 0


def test_cancelled_while_the_hospital_is_asked(desk: Desk) -> None:
    """The hospital confirms what is given up already: it is told to forget it, and the place is sold once."""
    patient, slot_id = desk.house.known(), desk.slot(capacity=1)
    row = desk.book(patient, slot_id)
    (asked,) = desk.house.agent().poll(lanes=["booking"])
    patient.post(f"/appointments/{row['id']}/cancel")
    desk.house.agent().answer(asked["id"])
    desk.house.drain_all("appointment.confirmed")
    assert (desk.read(patient, row)["status"], desk.left(slot_id)[0]) == ("cancelled", 0)
    assert set(desk.confirm()) == {"cancel_appointment"}
    assert "appointment_booked" not in desk.notices(row)


def test_a_visit_that_is_over_cannot_be_cancelled(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.booked(patient, slot_id)
    desk.house.rows("UPDATE slot SET starts_at = now() + interval '59 min' WHERE id = :id", id=slot_id)
    assert refusal(patient.post(f"/appointments/{row['id']}/cancel"), 409) == "too_late"


@pytest.mark.parametrize("arrives", [True, False])
def test_what_becomes_of_the_fee_is_told(desk: Desk, arrives: bool) -> None:
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    desk.pay(patient, row)
    assert given_back(desk, patient, row) == ("none", 0)
    if not arrives:
        body = {"code": "USER_ACCOUNT_ABNORMAL", "message": "-"}
        desk.house.wechat.fail(r"/v3/refund/domestic/refunds$", status=400, body=body)
    desk.cancel(patient, row)
    kinds = ("payment.refund", "payment.look_at_refund", "appointment.fee_refunded", "appointment.fee_not_refunded")
    assert given_back(desk, patient, row) == ("pending", 0)
    desk.house.drain_all(*kinds, hurry=True)
    assert desk.notices(row)[-1:] == ["refunded" if arrives else "refund_failed"]
    assert given_back(desk, patient, row) == (("refunded", FEE) if arrives else ("failed", 0))
    desk.house.drain_all(*kinds, hurry=True)
    assert len(desk.notices(row)) == 1


@pytest.mark.parametrize("arrives", [True, False])
def test_the_payer_is_told_of_the_fee_also_when_no_longer_bound(desk: Desk, arrives: bool) -> None:
    """停诊 after the tie has ended: the person's appointment is no news for the payer any more, their money is."""
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    desk.pay(patient, row)
    [bound] = patient.get("/bindings").get_json()["bindings"]
    assert patient.post(f"/bindings/{bound['id']}/revoke").status_code == 200
    if not arrives:
        body = {"code": "USER_ACCOUNT_ABNORMAL", "message": "-"}
        desk.house.wechat.fail(r"/v3/refund/domestic/refunds$", status=400, body=body)
    desk.change(slot_id, 2, status="stopped")
    kinds = ("payment.refund", "payment.look_at_refund", "appointment.fee_refunded", "appointment.fee_not_refunded")
    desk.house.drain_all(*kinds, hurry=True)
    told = desk.house.rows("SELECT template, account_id, person_id FROM notice WHERE subject = :id", id=row["id"])
    assert [tuple(one) for one in told] == [("refunded" if arrives else "refund_failed", patient.account_id, None)]
    desk.house.drain_all("notification.deliver")
    assert desk.house.value("SELECT status FROM notice WHERE subject = :id", id=row["id"]) == "delivered"


def test_who_pays_the_fee_of_a_person_they_are_bound_to_no_more_hears_of_the_payment_alone(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    [bound] = patient.get("/bindings").get_json()["bindings"]
    assert patient.post(f"/bindings/{bound['id']}/revoke").status_code == 200
    desk.pay(patient, row)
    desk.confirm()
    assert desk.house.value("SELECT status FROM appointment WHERE id = :id", id=row["id"]) == "booked"
    told = desk.house.rows("SELECT template, account_id, person_id FROM notice WHERE subject = :id", id=row["id"])
    assert [tuple(one) for one in told] == [("payment_used", patient.account_id, None)]


def given_back(desk: Desk, patient: Known, row: Any) -> tuple[str, int]:
    """What the patient reads of the fee's way back, the same with the appointment, in the list and with the payment."""
    (listed,) = patient.get("/appointments").get_json()["items"]
    views = [desk.read(patient, row), listed, patient.get(f"/payments/{row['payment_id']}").get_json()]
    ((refund, fen),) = {(one["refund"], one["refunded_fen"]) for one in views}
    return refund, fen


@pytest.mark.parametrize("code", ["slot_full", "slot_stopped", "something_new", None])
def test_what_the_hospital_refuses_is_told_and_given_back(desk: Desk, code: str | None) -> None:
    patient, slot_id = desk.house.known(), desk.slot(fee_fen=FEE)
    row = desk.book(patient, slot_id)
    desk.pay(patient, row)
    desk.confirm(outcome="refused", code=code)
    shown = desk.read(patient, row)
    assert (shown["status"], desk.left(slot_id)[0], refunds(desk, row)) == ("refused", 0, 1)
    assert shown["refused"] and desk.notices(row) == ["appointment_refused"]


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_hospital_in_trouble_is_asked_again_under_the_same_number(desk: Desk, outcome: str) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.book(patient, slot_id)
    numbers = set()
    for _ in range(3):
        asked = desk.house.answer("booking", lambda command: {"outcome": outcome})
        numbers |= {command["body"]["appointment_no"] for command in asked}
        assert len(asked) == 1, "one question at a time"
        desk.house.drain_all("appointment.confirmed")
        assert desk.house.agent().poll(lanes=["booking"]) == [], "not before a pause"
        desk.house.drain_all("appointment.ask", hurry=True)
    desk.confirm()
    assert (desk.read(patient, row)["status"], numbers) == ("booked", {row["no"]})


def test_a_silent_hospital_is_given_up_after_a_while(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.book(patient, slot_id)
    desk.house.rows("UPDATE command SET deadline = now() - interval '1 hour' WHERE status = 'open'")
    desk.house.rows("UPDATE appointment SET asked_at = now() - interval '1 hour' WHERE id = :id", id=row["id"])
    with desk.house.runtime.work() as work:
        work.later("exchange.overdue", None)
    desk.house.drain_all("exchange.overdue", "appointment.confirmed")
    shown = desk.read(patient, row)
    assert (shown["status"], desk.left(slot_id)[0]) == ("refused", 0)
    assert "暂时无法确认" in shown["refused"]
    assert desk.confirm() == ["cancel_appointment"], "it may have confirmed all the same"


def test_a_stopped_clinic_cancels_tells_and_refunds_everybody(desk: Desk) -> None:
    slot_id, patients = desk.slot(fee_fen=FEE), [desk.house.known() for _ in range(2)]
    department = desk.house.value("SELECT department_code FROM slot WHERE id = :id", id=slot_id)
    near = desk.slot(department_code=department)
    rows = [desk.book(patient, slot_id) for patient in patients]
    desk.pay(patients[0], rows[0])
    desk.confirm()
    assert desk.change(slot_id, 2, status="stopped") == [("applied", None)]
    for patient, row in zip(patients, rows, strict=True):
        shown = desk.read(patient, row)
        assert (shown["status"], shown["refused_code"]) == ("cancelled", "slot_stopped") and "停诊" in shown["refused"]
        assert [one["id"] for one in shown["nearby"]] == [str(near)]
        assert desk.notices(row)[-1] == "appointment_cancelled"
    assert [refunds(desk, row) for row in rows] == [1, 0]
    assert desk.left(slot_id)[0] == 0
    asked = desk.house.answer("booking", lambda command: {"outcome": "done"})
    assert [(one["kind"], one["body"]) for one in asked] == [("cancel_appointment", {"appointment_no": rows[0]["no"]})]


def test_a_stopped_clinic_that_is_open_again_is_empty_at_the_hospital_first(desk: Desk) -> None:
    """Whoever stops a clinic and takes that back finds its places as free as we sell them anew."""
    slot_id, patient = desk.slot(capacity=1), desk.house.known()
    desk.booked(desk.house.known(), slot_id)
    desk.change(slot_id, 2, status="stopped")
    desk.change(slot_id, 3, capacity=1)
    desk.book(patient, slot_id)
    assert desk.confirm() == ["cancel_appointment", "confirm_appointment"]


def test_places_that_the_hospital_takes_back_are_not_sold_again(desk: Desk) -> None:
    slot_id, patients = desk.slot(capacity=3), [desk.house.known() for _ in range(3)]
    rows = [desk.booked(patient, slot_id) for patient in patients]
    desk.change(slot_id, 2, capacity=1)
    assert desk.left(slot_id) == (3, 3)
    for n, left in enumerate([(2, 2), (1, 1), (0, 1)]):
        patients[n].post(f"/appointments/{rows[n]['id']}/cancel")
        assert desk.left(slot_id) == left


def test_the_hospitals_visit_ends_its_own_appointment_only(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.booked(patient, slot_id)
    with desk.house.runtime.work() as work:
        service.attended(work, desk.house.hospital_id("H2"), row["no"])
    assert desk.read(patient, row)["status"] == "booked"
    desk.house.rows("UPDATE slot SET ends_at = now() - interval '25 hours' WHERE id = :id", id=slot_id)
    with desk.house.runtime.work() as work:
        work.later("appointment.sweep", None)
    desk.house.drain_all("appointment.sweep")
    assert desk.read(patient, row)["status"] == "no_show"
    with desk.house.runtime.work() as work:
        service.attended(work, desk.house.hospital_id("H1"), row["no"])
    assert desk.read(patient, row)["status"] == "attended"


def test_a_visit_is_the_hospitals_word_also_before_its_confirmation(desk: Desk) -> None:
    patient, slot_id = desk.house.known(), desk.slot()
    row = desk.book(patient, slot_id)
    (question,) = desk.house.agent().poll(lanes=["booking"])
    with desk.house.runtime.work() as work:
        service.attended(work, desk.house.hospital_id("H1"), row["no"])
    assert desk.read(patient, row)["status"] == "attended"
    assert desk.house.value("SELECT arrival_no FROM appointment WHERE id = :id", id=row["id"])
    desk.house.agent().answer(question["id"])
    desk.house.drain_all("appointment.confirmed")
    desk.house.rows("UPDATE slot SET ends_at = now() - interval '25 hours' WHERE id = :id", id=slot_id)
    with desk.house.runtime.work() as work:
        service.note_missed(work)
    assert desk.read(patient, row)["status"] == "attended" and desk.confirm() == []


def test_a_visit_of_an_appointment_that_the_hospital_was_not_asked_about_changes_nothing(desk: Desk) -> None:
    patient = desk.house.known()
    row = desk.book(patient, desk.slot(fee_fen=FEE))
    with desk.house.runtime.work() as work:
        service.attended(work, desk.house.hospital_id("H1"), row["no"])
    assert desk.read(patient, row)["status"] == "pending"


def test_older_catalogues_never_replace_newer_ones(desk: Desk) -> None:
    slot_id = desk.slot(capacity=10)
    assert desk.change(slot_id, 5, capacity=7) == [("applied", None)]
    assert desk.change(slot_id, 5, capacity=8) == [("unchanged", None)]
    assert desk.change(slot_id, 4, capacity=9) == [("stale", None)]
    assert desk.left(slot_id) == (0, 7)


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity": -1},
        {"capacity": 2**40},
        {"capacity": "5"},
        {"fee_fen": 1.5},
        {"starts_at": "2026-11-21T08:00:00"},
        {"status": "closed"},
        {"ends_at": "2000-01-01T00:00:00+08:00"},
        {"doctor_code": None},
    ],
)
def test_a_wrong_row_is_refused_alone(desk: Desk, wrong: dict[str, Any]) -> None:
    key = uuid4().hex
    rows = [department(), doctor(), slot(f"{key}-1", **wrong), slot(f"{key}-2")]
    verdicts = desk.house.apply(rows, "catalogue")
    assert verdicts[2][0] == "refused" and verdicts[3] == ("applied", None)


def test_what_can_be_chosen_is_listed(desk: Desk) -> None:
    code = uuid4().hex[:8]
    slot_id = desk.slot(department_code=code, capacity=4, fee_fen=FEE)
    patient = desk.house.known()
    assert {"H1", "H2"} <= {one["code"] for one in patient.get("/hospitals").get_json()["items"]}
    assert code in {one["code"] for one in patient.get("/hospitals/H1/departments").get_json()["items"]}
    assert patient.get(f"/hospitals/H1/doctors?department={code}").status_code == 200
    (shown,) = patient.get(f"/hospitals/H1/slots?department={code}").get_json()["items"]
    assert (shown["id"], shown["left"], shown["fee_fen"], shown["stopped"]) == (str(slot_id), 4, FEE, False)
    assert patient.get("/hospitals/H2/slots?on=2026-11-21").status_code == 200
    assert refusal(patient.get("/hospitals/H2/slots?on=2026-11-21T00:00:00"), 422)
    assert refusal(patient.get("/hospitals/I1/slots"), 404) and refusal(patient.get("/hospitals/XX/slots"), 404)


MOVES = {
    ("pending", "confirm"): "booked",
    ("pending", "refuse"): "refused",
    ("pending", "expire"): "expired",
    ("pending", "cancel"): "cancelled",
    ("booked", "cancel"): "cancelled",
    ("booked", "attend"): "attended",
    ("booked", "miss"): "no_show",
    ("no_show", "attend"): "attended",
}


def test_every_pair_of_state_and_event(desk: Desk) -> None:
    slot_id, patient = desk.slot(), desk.house.known()
    with desk.house.runtime.work() as work:
        for state, event in itertools.product(State, sorted(appointments.events)):
            row = Appointment(
                no=partner_number("ap"),
                hospital_id=desk.house.hospital_id(),
                slot_id=slot_id,
                account_id=patient.account_id,
                person_id=patient.person_id,
                fee_fen=0,
            )
            appointments.start(work, row, state)
            work.session.flush()
            try:
                (moved,) = appointments.move(work, [row.id], event)
                assert moved.new == MOVES.get((state.value, event)), (state, event)
            except LostRace:
                assert (state.value, event) not in MOVES
            work.session.delete(row)
            work.session.flush()


def test_the_pause_grows_to_a_minute() -> None:
    assert [ask_pause(n) for n in (1, 2, 3, 20)] == [timedelta(seconds=s) for s in (1, 2, 4, 60)]


def test_slots_come_by_time_and_page_by_page(desk: Desk) -> None:
    patient = desk.house.known()
    wanted = [str(desk.slot(department_code="paged", in_h=hours)) for hours in (30, 26, 28, 26, 27)]
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        page = patient.get(f"/hospitals/H1/slots?department=paged&limit=2{cursor}").get_json()
        found += [item["id"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert set(found[:2]) == {wanted[1], wanted[3]} and found[2:] == [wanted[4], wanted[2], wanted[0]]
    assert refusal(patient.get(f"/hospitals/H1/slots?cursor={patient.person_id}"), 404) == "not_found"
