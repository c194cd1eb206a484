from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from demo.invariants.inv_01_slots import check
from demo.invariants.scene import Scene
from tests.demo.invariants.kit import NOON, Ground, Town, one, scene_of, world_with_hospital


@pytest.fixture
def slot(town: Town) -> dict[str, Any]:
    return town.ground.add("slot", hospital_id=town.ids["H1"], key="s1", capacity=2, allotment=2, taken=2)


def book(town: Town, slot: dict[str, Any], status: str = "booked", **values: Any) -> dict[str, Any]:
    ids = {"hospital_id": town.ids["H1"], "slot_id": slot["id"], "person_id": uuid4()}
    return town.ground.add("appointment", status=status, **(ids | values))


def test_a_full_slot_and_given_back_places_are_no_findings(town: Town, slot: dict[str, Any]) -> None:
    book(town, slot)
    book(town, slot, "attended")
    book(town, slot, "cancelled")
    assert check(scene_of(town.ground)) == []


def test_a_slot_that_is_sold_beyond_its_capacity_is_named(town: Town, slot: dict[str, Any]) -> None:
    town.ground.loosen("slot")
    town.ground.run("UPDATE slot SET taken = 3")
    for _ in range(3):
        book(town, slot)
    one(check(scene_of(town.ground)), "H1/s1", "3 taken of 2")


def test_a_count_that_does_not_fit_the_appointments_is_named(town: Town, slot: dict[str, Any]) -> None:
    book(town, slot)
    one(check(scene_of(town.ground)), "2 taken, but 1 appointments hold")


def wait(town: Town, slot: dict[str, Any], status: str, **values: Any) -> int:
    """Join the line; the number in it."""
    ids = {"hospital_id": town.ids["H1"], "slot_id": slot["id"], "person_id": uuid4()} | values
    offer = {"offered_slot_id": slot["id"], "offer_until": NOON} if status == "offered" else {}
    row = town.ground.add("waiting_entry", status=status, self_pay=False, **(ids | offer))
    return int(row["line_no"])


def test_an_offer_holds_a_place(town: Town, slot: dict[str, Any]) -> None:
    book(town, slot)
    wait(town, slot, "offered")
    wait(town, slot, "waiting")
    assert check(scene_of(town.ground)) == []


def test_who_was_overtaken_in_the_waiting_list_is_named(town: Town, slot: dict[str, Any]) -> None:
    book(town, slot)
    first, later = wait(town, slot, "waiting"), wait(town, slot, "offered")
    one(check(scene_of(town.ground)), f"waiting for slot H1/s1: {later} was offered a place before {first}")


@pytest.mark.parametrize(("who", "places"), [("person_id", 5), ("account_id", 20)])
def test_who_may_have_held_enough_was_passed_over(town: Town, slot: dict[str, Any], who: str, places: int) -> None:
    book(town, slot)
    mine = {who: uuid4()}
    first, later = wait(town, slot, "waiting", **mine), wait(town, slot, "offered")
    for _ in range(places - 1):
        book(town, slot, "cancelled", **mine)
    one(check(scene_of(town.ground)), f"{later} was offered a place before {first}")
    book(town, slot, "cancelled", **mine)
    assert check(scene_of(town.ground)) == []


def test_more_than_the_hospital_allots_is_named(town: Town, slot: dict[str, Any]) -> None:
    book(town, slot)
    book(town, slot)
    town.ground.run("UPDATE slot SET allotment = 1")  # taken back: what is sold stays sold
    assert check(scene_of(town.ground)) == []
    town.ground.run("UPDATE slot SET capacity = 3")
    one(check(scene_of(town.ground)), "slot H1/s1: 3 places are offered, 1 allotted")


def test_two_live_appointments_of_one_person_are_named(town: Town, slot: dict[str, Any]) -> None:
    town.ground.loosen("appointment")
    person = uuid4()
    book(town, slot, person_id=person, no="a1")
    book(town, slot, "pending", person_id=person, no="a2")
    one(check(scene_of(town.ground)), "a1, a2", "H1/s1")


@pytest.fixture
def at_hospital(ground: Ground, town: Town, slot: dict[str, Any]) -> Scene:
    """The hospital's booking table beside ours."""
    ground.open_hospital()
    ground.run("INSERT INTO his_h1.gh_hy VALUES ('s1', 'd1', 'k1', now(), now(), 2, 2, 0)")
    for no, status, state in (("a1", "booked", "1"), ("a2", "attended", "2"), ("a3", "cancelled", "9")):
        ground.run(
            "INSERT INTO his_h1.gh_yy (yyh, hyid, xm, zjhm, sjh, zt) VALUES (%s, 's1', '', '', '', %s)", no, state
        )
        book(town, slot, status, no=no)
    return scene_of(ground, world=world_with_hospital(ground))


def test_the_hospital_holds_the_same_places(at_hospital: Scene) -> None:
    assert check(at_hospital) == []


def test_an_appointment_that_the_hospital_has_not_booked_is_named(ground: Ground, at_hospital: Scene) -> None:
    ground.run("DELETE FROM his_h1.gh_yy WHERE yyh = 'a1'")
    ground.run("UPDATE his_h1.gh_hy SET yghs = 1")
    one(check(at_hospital), "appointment a1 is booked here", "H1 holds no place")


def test_a_place_that_the_hospital_still_holds_is_named(ground: Ground, at_hospital: Scene) -> None:
    ground.run("UPDATE his_h1.gh_yy SET zt = '1' WHERE yyh = 'a3'")
    ground.run("UPDATE his_h1.gh_hy SET xhs = 3, yghs = 3")
    one(check(at_hospital), "appointment a3 is cancelled here", "H1 still holds")
