"""Whoever is not bound to a person any more waits for nothing in that person's name, and takes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.appointment.waiting import closing
from tests.app.appointment.kit import Desk
from tests.app.patients import Known, refusal

FOLLOW = ("appointment.unbound", "appointment.leave_unbound")


def full_with_two_waiting(desk: Desk) -> tuple[UUID, Known, Any, list[tuple[Known, Any]]]:
    slot_id, holder, booked = desk.full()
    patients = [desk.house.known() for _ in range(2)]
    return slot_id, holder, booked, [(one, desk.waits(one, slot_id)) for one in patients]


def unbind(patient: Known) -> None:
    [bound] = patient.get("/bindings").get_json()["bindings"]
    assert patient.post(f"/bindings/{bound['id']}/revoke").status_code == 200


def test_an_offer_is_not_taken_by_who_is_not_bound_any_more(desk: Desk) -> None:
    slot_id, holder, booked, (first, _) = full_with_two_waiting(desk)
    desk.cancel(holder, booked)
    desk.confirm()
    unbind(first[0])
    assert refusal(desk.accept(*first), 404) == "person_unknown"
    assert refusal(desk.ask(first[0], slot_id), 404) == "person_unknown"
    assert desk.confirm() == [] and desk.left(slot_id) == (1, 1)


def test_when_the_tie_ends_the_offered_place_goes_to_the_next(desk: Desk) -> None:
    slot_id, holder, booked, pairs = full_with_two_waiting(desk)
    desk.cancel(holder, booked)
    unbind(pairs[0][0])
    desk.house.drain_all(*FOLLOW)
    assert desk.statuses(*pairs) == ["left", "offered"] and desk.left(slot_id) == (1, 1)
    shown = desk.entry(*pairs[0])
    assert shown["reason_code"] == "unbound" and "绑定" in shown["reason"]
    assert desk.notices(pairs[0][1]) == ["waiting_offered"], "nobody hears more of a person to whom nobody is bound"


def test_when_the_tie_ends_so_does_the_waiting(desk: Desk) -> None:
    _, _, _, pairs = full_with_two_waiting(desk)
    unbind(pairs[0][0])
    desk.house.drain_all(*FOLLOW)
    assert desk.statuses(*pairs) == ["left", "waiting"] and desk.entry(*pairs[1])["place"] == 1


def test_a_place_is_not_offered_to_who_is_not_bound(desk: Desk) -> None:
    """The place frees before anybody has followed the end of the tie."""
    slot_id, holder, booked, pairs = full_with_two_waiting(desk)
    unbind(pairs[0][0])
    desk.cancel(holder, booked)
    assert desk.statuses(*pairs) == ["waiting", "offered"] and desk.left(slot_id) == (1, 1)


def test_what_nobody_followed_is_found_by_the_sweep(desk: Desk) -> None:
    """As where somebody joined while the tie was ending."""
    slot_id, holder, booked, pairs = full_with_two_waiting(desk)
    desk.cancel(holder, booked)
    unbind(pairs[0][0])
    desk.house.rows("DELETE FROM task WHERE kind = 'appointment.unbound'")
    with desk.house.runtime.work() as work:
        closing.sweep(work)
    desk.house.drain_all("appointment.leave_unbound")
    assert desk.statuses(*pairs) == ["left", "offered"] and desk.left(slot_id) == (1, 1)


def test_who_is_bound_again_by_then_waits_on(desk: Desk) -> None:
    _, _, _, pairs = full_with_two_waiting(desk)
    patient = pairs[0][0]
    unbind(patient)
    desk.house.rows("UPDATE binding SET status = 'live' WHERE account_id = :id", id=patient.account_id)
    desk.house.drain_all(*FOLLOW)
    assert desk.statuses(*pairs) == ["waiting", "waiting"]


def test_the_end_of_a_claim_that_led_to_nobody_ends_no_waiting(desk: Desk) -> None:
    _, _, _, pairs = full_with_two_waiting(desk)
    patient = pairs[0][0]
    body = {"name": "李四", "document_type": "passport", "document_no": "E12345678", "birth_date": "1990-01-01",
            "sex": "male", "phone": "13900001111", "relation": "other", "consent": True}  # fmt: skip
    claimed = desk.house.claim(patient, **body)
    assert claimed.status_code == 202, claimed.get_json()
    assert patient.post(f"/bindings/{claimed.get_json()['id']}/revoke").status_code == 200
    desk.house.drain_all(*FOLLOW)
    assert desk.statuses(*pairs) == ["waiting", "waiting"]
