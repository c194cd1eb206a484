"""The waiting list: joining, the place in line, offers in order, and every way in which one ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.appointment.waiting import closing
from app.core.clock import SHANGHAI
from tests.app.appointment.kit import Desk
from tests.app.patients import Known, refusal

FEE = 2500


def line(desk: Desk, slot_id: UUID, count: int) -> list[tuple[Known, Any]]:
    patients = [desk.house.known() for _ in range(count)]
    return [(patient, desk.waits(patient, slot_id)) for patient in patients]


def refunds(desk: Desk, row: Any) -> int:
    query = "SELECT count(*) FROM refund WHERE order_id = :id AND amount_fen = :fee"
    return int(desk.house.value(query, id=row["payment_id"], fee=FEE))


def test_a_place_that_frees_is_offered_to_the_first_and_told(desk: Desk) -> None:
    slot_id, holder, booked = desk.full()
    (first, entry), (second, other) = line(desk, slot_id, 2)
    assert (entry["place"], other["place"], entry["status"]) == (1, 2, "waiting")
    desk.cancel(holder, booked)
    shown = desk.entry(first, entry)
    assert (shown["status"], shown["offered_slot_id"], shown["place"]) == ("offered", str(slot_id), None)
    assert shown["offer_until"] and desk.notices(entry) == ["waiting_offered"]
    assert desk.entry(second, other)["place"] == 1 and desk.notices(other) == []
    assert desk.left(slot_id) == (1, 1), "the place is held"
    assert refusal(desk.ask(desk.house.known(), slot_id), 409) == "slot_full"


def test_an_offer_that_is_taken_is_an_appointment(desk: Desk) -> None:
    slot_id, holder, booked = desk.full()
    ((first, entry),) = line(desk, slot_id, 1)
    desk.cancel(holder, booked)
    desk.confirm()
    made = desk.accept(first, entry)
    assert made.status_code == 201 and made.get_json()["status"] == "pending"
    assert desk.confirm() == ["confirm_appointment"]
    shown = desk.entry(first, entry)
    assert (shown["status"], shown["appointment_id"]) == ("taken", made.get_json()["id"])
    assert desk.read(first, made.get_json())["status"] == "booked" and desk.left(slot_id) == (1, 1)
    assert refusal(desk.accept(first, entry), 409) == "offer_over"
    assert refusal(desk.leave(first, entry), 409) == "state_changed"


def test_an_offer_that_nobody_takes_goes_down_the_line(desk: Desk) -> None:
    slot_id, holder, booked = desk.full()
    pairs = line(desk, slot_id, 3)
    desk.cancel(holder, booked)
    for n in range(3):
        assert desk.statuses(*pairs) == ["lapsed"] * n + ["offered"] + ["waiting"] * (2 - n)
        assert desk.left(slot_id) == (1, 1)
        desk.pass_time(pairs[n][1])
        assert desk.notices(pairs[n][1]) == ["waiting_offered", "waiting_over"]
        assert refusal(desk.accept(*pairs[n]), 409) == "offer_over"
    assert desk.left(slot_id) == (0, 1), "nobody is left: everybody may have it"
    assert desk.book(desk.house.known(), slot_id)


def test_an_offer_does_not_lapse_before_its_time(desk: Desk) -> None:
    slot_id, holder, booked = desk.full()
    ((first, entry),) = line(desk, slot_id, 1)
    desk.cancel(holder, booked)
    desk.house.drain_all("appointment.offer_lapse", hurry=True)
    assert desk.statuses((first, entry)) == ["offered"]


def test_leaving_moves_nobody_back_and_hands_an_offer_on(desk: Desk) -> None:
    slot_id, holder, booked = desk.full()
    pairs = line(desk, slot_id, 4)
    assert desk.leave(*pairs[1]).get_json()["status"] == "left"
    assert [desk.entry(*pair)["place"] for pair in pairs] == [1, None, 2, 3]
    desk.cancel(holder, booked)
    assert desk.leave(*pairs[0]).get_json()["status"] == "left"
    assert desk.statuses(*pairs) == ["left", "left", "offered", "waiting"]
    assert desk.left(slot_id) == (1, 1)


def test_an_unpaid_appointment_of_an_offer_moves_on(desk: Desk) -> None:
    slot_id, holder, booked = desk.full(fee_fen=FEE)
    (first, entry), (second, other) = line(desk, slot_id, 2)
    desk.cancel(holder, booked)
    made = desk.accept(first, entry).get_json()
    assert made["payment_id"] and made["pay_by"]
    desk.house.drain_all("payment.prepay")
    desk.house.rows("UPDATE payment_order SET expires_at = now() WHERE id = :id", id=made["payment_id"])
    desk.house.drain_all("payment.look", "appointment.fee_closed", hurry=True)
    assert desk.read(first, made)["status"] == "expired" and desk.notices(made) == ["appointment_cancelled"]
    assert desk.statuses((second, other)) == ["offered"] and desk.left(slot_id) == (1, 1)


@pytest.mark.parametrize("ending", ["refuse", "silence"])
def test_a_place_that_the_hospital_does_not_confirm_is_handed_on(desk: Desk, ending: str) -> None:
    slot_id, holder = desk.slot(capacity=1), desk.house.known()
    row = desk.book(holder, slot_id)
    ((first, entry),) = line(desk, slot_id, 1)
    if ending == "refuse":
        desk.confirm(outcome="refused", code="card_invalid")
    else:
        desk.house.rows("UPDATE appointment SET asked_at = now() - interval '1 hour' WHERE id = :id", id=row["id"])
        desk.confirm(outcome="failed")
    assert desk.read(holder, row)["status"] == "refused"
    assert desk.statuses((first, entry)) == ["offered"]


@pytest.mark.parametrize("code", ["slot_full", "slot_stopped"])
def test_a_place_that_the_hospital_does_not_have_is_offered_to_nobody(desk: Desk, code: str) -> None:
    slot_id, holder = desk.slot(capacity=2), desk.house.known()
    kept, row = desk.booked(holder, slot_id), desk.book(desk.house.known(), slot_id)
    pairs = line(desk, slot_id, 2)
    desk.confirm(outcome="refused", code=code)
    assert desk.house.value("SELECT status FROM appointment WHERE id = :id", id=row["id"]) == "refused"
    assert desk.statuses(*pairs) == ["waiting", "waiting"] and desk.left(slot_id) == (1, 1)
    desk.cancel(holder, kept)  # a place that it does have
    assert desk.statuses(*pairs) == ["offered", "waiting"] and desk.left(slot_id) == (1, 1)
    desk.change(slot_id, 2, capacity=2)
    assert desk.statuses(*pairs) == ["offered", "offered"] and desk.left(slot_id) == (2, 2)


def test_an_offer_behind_which_there_was_no_place_leaves_the_line_as_it_was(desk: Desk) -> None:
    slot_id, holder, booked = desk.full(fee_fen=FEE)
    first, second = line(desk, slot_id, 2)
    desk.cancel(holder, booked)
    taken = desk.accept(*first).get_json()
    desk.pay(first[0], taken)
    desk.confirm(outcome="refused", code="slot_full")
    assert desk.read(first[0], taken)["status"] == "refused"
    assert [desk.entry(*pair)["place"] for pair in (first, second)] == [1, 2]
    assert desk.house.value("SELECT count(*) FROM refund r JOIN payment_order o ON o.id = r.order_id"
                            " WHERE o.subject = :id", id=taken["id"]) == 1  # fmt: skip
    desk.change(slot_id, 2, capacity=1)
    assert desk.statuses(first, second) == ["offered", "waiting"], "the first is the first again"


def test_places_that_the_hospital_adds_go_to_who_waits(desk: Desk) -> None:
    slot_id, _, _ = desk.full()
    pairs = line(desk, slot_id, 3)
    assert desk.change(slot_id, 2, capacity=3) == [("applied", None)]
    assert desk.statuses(*pairs) == ["offered", "offered", "waiting"] and desk.left(slot_id) == (3, 3)


def test_a_place_that_the_hospital_takes_back_is_not_offered(desk: Desk) -> None:
    slot_id, holder, booked = desk.full(capacity=1)
    pairs = line(desk, slot_id, 1)
    desk.change(slot_id, 2, capacity=0)
    desk.cancel(holder, booked)
    assert desk.statuses(*pairs) == ["waiting"] and desk.left(slot_id) == (0, 0)


def test_a_stopped_clinic_ends_offers_and_waiting_alike(desk: Desk) -> None:
    slot_id, patients = desk.slot(capacity=2, fee_fen=FEE), [desk.house.known() for _ in range(2)]
    rows = [desk.book(patient, slot_id) for patient in patients]
    desk.pay(patients[0], rows[0])
    desk.confirm()
    pairs = line(desk, slot_id, 2)
    desk.cancel(patients[1], rows[1])
    assert desk.statuses(*pairs) == ["offered", "waiting"]
    desk.change(slot_id, 2, status="stopped")
    assert desk.statuses(*pairs) == ["closed", "closed"] and desk.read(patients[0], rows[0])["status"] == "cancelled"
    assert refunds(desk, rows[0]) == 1 and desk.left(slot_id)[0] == 0
    assert [desk.notices(entry)[-1] for _, entry in pairs] == ["waiting_over"] * 2
    assert "停诊" in desk.entry(*pairs[0])["reason"]
    desk.pass_time(pairs[0][1])
    assert desk.left(slot_id)[0] == 0
    assert refusal(desk.wait(desk.house.known(), slot_id), 409) == "slot_stopped"


def doctors_day(desk: Desk, slot_id: UUID) -> dict[str, Any]:
    (row,) = desk.house.rows("SELECT doctor_code, starts_at FROM slot WHERE id = :id", id=slot_id)
    return {"hospital": "H1", "doctor": row.doctor_code, "on": f"{row.starts_at.astimezone(SHANGHAI):%Y-%m-%d}"}


@pytest.fixture
def clinics(desk: Desk) -> list[UUID]:
    """Two full clinics of one doctor on one day, so far ahead that both are surely on it."""
    doctor = uuid4().hex[:8]
    noon = (desk.house.runtime.clock.now().astimezone(SHANGHAI) + timedelta(days=3)).replace(hour=9, minute=0)
    made = []
    for hours in (0, 4):
        at = noon + timedelta(hours=hours)
        ends_at = at + timedelta(hours=1)
        when = {"starts_at": at.isoformat(), "ends_at": ends_at.isoformat()}
        made.append(desk.slot(capacity=1, doctor_code=doctor, **when))
    return made


def test_a_doctors_day_is_served_by_any_of_its_clinics_in_one_line(desk: Desk, clinics: list[UUID]) -> None:
    holders = [desk.house.known() for _ in clinics]
    booked = [desk.booked(holder, slot_id) for holder, slot_id in zip(holders, clinics, strict=True)]
    of_day = doctors_day(desk, clinics[0])
    patients = [desk.house.known() for _ in range(4)]
    pairs = [
        (patients[0], desk.waits(patients[0], clinics[0])),
        (patients[1], desk.waits(patients[1], **of_day)),
        (patients[2], desk.waits(patients[2], clinics[1])),
        (patients[3], desk.waits(patients[3], **of_day)),
    ]
    assert [row["place"] for _, row in pairs] == [1, 2, 2, 4]
    desk.cancel(holders[1], booked[1])
    assert desk.statuses(*pairs) == ["waiting", "offered", "waiting", "waiting"]
    desk.cancel(holders[0], booked[0])
    assert desk.statuses(*pairs) == ["offered", "offered", "waiting", "waiting"]
    made = desk.accept(*pairs[1]).get_json()
    assert made["slot_id"] == str(clinics[1])


def test_a_stopped_clinic_leaves_who_waits_for_the_day_in_line(desk: Desk, clinics: list[UUID]) -> None:
    holders = [desk.house.known() for _ in clinics]
    booked = [desk.booked(holder, slot_id) for holder, slot_id in zip(holders, clinics, strict=True)]
    patient = desk.house.known()
    pair = (patient, desk.waits(patient, **doctors_day(desk, clinics[0])))
    desk.cancel(holders[0], booked[0])
    assert desk.statuses(pair) == ["offered"]
    desk.change(clinics[0], 2, status="stopped", doctor_code=doctors_day(desk, clinics[0])["doctor"])
    shown = desk.entry(*pair)
    assert (shown["status"], shown["place"], shown["offered_slot_id"]) == ("waiting", 1, None)
    assert desk.notices(pair[1]) == ["waiting_offered", "waiting_resumed"]
    desk.pass_time(pair[1])
    desk.cancel(holders[1], booked[1])
    assert desk.entry(*pair)["offered_slot_id"] == str(clinics[1])
    desk.change(clinics[1], 2, status="stopped", doctor_code=doctors_day(desk, clinics[0])["doctor"])
    assert desk.statuses(pair) == ["closed"] and desk.left(clinics[1])[0] == 0


def test_who_may_not_join_is_told_why(desk: Desk) -> None:
    slot_id, holder, _ = desk.full()
    patient = desk.house.known()
    assert refusal(desk.wait(holder, slot_id), 409) == "already_booked"
    desk.waits(patient, slot_id)
    assert refusal(desk.wait(patient, slot_id), 409) == "already_waiting"
    free = desk.slot()
    answer = desk.wait(patient, free)
    assert refusal(answer, 409) == "slot_free" and str(free) in answer.get_json()["fields"]
    assert refusal(desk.wait(patient, desk.slot(in_h=0.1, capacity=0)), 409) == "slot_past"
    assert refusal(desk.wait(patient, uuid4()), 404)
    assert refusal(desk.wait(patient), 422) and refusal(desk.wait(patient, slot_id, doctor="D1"), 422)
    assert refusal(desk.wait(desk.house.known("H2"), desk.slot(capacity=0, fee_fen=FEE)), 409) == "pay_elsewhere"
    bare = desk.house.known(card=None)
    assert refusal(desk.wait(bare, slot_id), 422) == "medical_card_required"
    assert desk.waits(bare, slot_id, self_pay=True)["self_pay"]
    stranger = desk.house.known()
    body = {"person_id": str(patient.person_id), "slot_id": str(slot_id)}
    assert refusal(stranger.post("/waiting-entries", body), 404)


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"hospital": "XX"}, 404, "hospital_unknown"),
        ({"hospital": "I1"}, 404, "hospital_unknown"),
        ({"doctor": "nobody"}, 404, "doctor_unknown"),
        ({"on": "2020-01-01"}, 409, "day_past"),
        ({"on": "2099-01-01"}, 409, "no_clinic"),
    ],
)
def test_a_day_that_nobody_can_wait_for_is_refused_with_the_reason(
    desk: Desk, wrong: dict[str, str], status: int, code: str
) -> None:
    desk.slot()
    wanted: dict[str, Any] = {"hospital": "H1", "doctor": "D1", "on": "2099-01-01"} | wrong
    assert refusal(desk.wait(desk.house.known(), None, **wanted), status) == code


def test_an_entry_is_its_accounts_own(desk: Desk) -> None:
    slot_id, _, _ = desk.full()
    ((first, entry),) = line(desk, slot_id, 1)
    stranger = desk.house.known()
    for answer in (desk.accept(stranger, entry), desk.leave(stranger, entry)):
        assert refusal(answer, 404)
    assert refusal(stranger.get(f"/waiting-entries/{entry['id']}"), 404)
    assert refusal(desk.accept(first, entry), 409) == "offer_over"
    assert [one["id"] for one in first.get("/waiting-entries").get_json()["items"]] == [entry["id"]]


def test_who_books_a_held_place_takes_the_offer(desk: Desk) -> None:
    slot_id, holder, booked = desk.full()
    ((first, entry),) = line(desk, slot_id, 1)
    desk.cancel(holder, booked)
    made = desk.book(first, slot_id)
    assert desk.entry(first, entry)["appointment_id"] == made["id"] and desk.left(slot_id) == (1, 1)


def test_who_has_booked_waits_no_longer(desk: Desk, clinics: list[UUID]) -> None:
    """Waiting for the day, the patient books a clinic of that day that the hospital opens anew."""
    for slot_id in clinics:
        desk.booked(desk.house.known(), slot_id)
    patient, of_day = desk.house.known(), doctors_day(desk, clinics[0])
    entry = desk.waits(patient, **of_day)
    twice = desk.waits(patient, clinics[0])
    desk.change(clinics[0], 2, capacity=2, doctor_code=of_day["doctor"])
    assert desk.statuses((patient, entry), (patient, twice)) == ["offered", "waiting"], "one offer at a time"
    made = desk.accept(patient, entry).get_json()
    assert made["slot_id"] == str(clinics[0])
    assert desk.statuses((patient, entry), (patient, twice)) == ["taken", "left"]
    assert desk.left(clinics[0]) == (2, 2)


def test_the_clock_ends_the_line(desk: Desk) -> None:
    slot_id, _, _ = desk.full()
    ((first, entry),) = line(desk, slot_id, 1)
    desk.house.rows("UPDATE slot SET starts_at = now() + interval '10 min' WHERE id = :id", id=slot_id)
    with desk.house.runtime.work() as work:
        work.later("appointment.sweep", None)
    desk.house.drain_all("appointment.sweep")
    assert desk.statuses((first, entry)) == ["closed"] and desk.notices(entry) == ["waiting_over"]


def test_what_should_have_moved_is_found_by_the_sweep(desk: Desk) -> None:
    """Places that appeared without anybody handing them on, and an offer whose task was lost."""
    slot_id, _, _ = desk.full()
    (first, entry), (second, other) = line(desk, slot_id, 2)
    desk.house.rows("UPDATE slot SET allotment = 2, capacity = 2 WHERE id = :id", id=slot_id)
    for _ in range(2):
        with desk.house.runtime.work() as work:
            closing.sweep(work)
        desk.house.drain_all("appointment.fill", "appointment.offer_lapse")
        assert desk.statuses((first, entry)) == ["offered"]
    desk.house.rows("DELETE FROM task WHERE kind = 'appointment.offer_lapse'")
    desk.house.rows("UPDATE waiting_entry SET offer_until = now() - interval '1 hour' WHERE id = :id", id=entry["id"])
    with desk.house.runtime.work() as work:
        closing.sweep(work)
    desk.house.drain_all("appointment.offer_lapse")
    assert desk.statuses((first, entry), (second, other)) == ["lapsed", "offered"] and desk.left(slot_id) == (2, 2)
