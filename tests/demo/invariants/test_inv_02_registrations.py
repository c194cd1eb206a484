from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from demo.invariants.inv_02_registrations import check
from demo.invariants.scene import Scene
from mock_partners.his.server import His
from tests.demo.invariants.kit import Ground, Town, one, scene_of


@dataclass
class Desk:
    """The hospital's desk as its double keeps it: who came, and who was admitted."""

    ground: Ground
    his: His

    def come(self, no: str, received_at: float, status: int = 200) -> None:
        body = json.dumps({"registration_no": no})
        self.his.note(method="POST", path="/registrations", body=body, status=status, received_at=received_at)

    def register(self, no: str, patient_no: str, *, received_at: float) -> None:
        self.come(no, received_at)
        self.ground.run("INSERT INTO his_h1.br_jdsq (sqh, nr, brid) VALUES (%s, '', %s)", no, patient_no)


@pytest.fixture
def desk(ground: Ground, hospital: His) -> Desk:
    return Desk(ground, hospital)


@pytest.fixture
def scene(town: Town, hospital: His) -> Scene:
    return scene_of(town.ground, urls={"H1": hospital.url})


@pytest.fixture
def enter(town: Town) -> Callable[..., UUID]:
    """A booked appointment and its person's entry in the line."""

    def enter(line_no: int, status: str = "registered", **values: Any) -> UUID:
        person = values.setdefault("person_id", uuid4())
        ids = {"hospital_id": town.ids["H1"], "person_id": person}
        place = values.pop("arrival_no", line_no)
        booked = town.ground.add(
            "appointment", **ids, slot_id=uuid4(), status="booked", no=f"a{line_no}", arrival_no=place
        )
        entry = {"no": f"rg{line_no}", "line_no": line_no, "status": status, "appointment_id": booked["id"]}
        gone = {"left_at": datetime.now(UTC)} if status in ("registered", "failed") else {}
        code = values.pop("refused_code", "blacklisted")
        refused = {"refused_code": code} if status == "failed" else {}
        town.ground.add("registration", **ids, **entry, **gone, **refused)
        if status == "registered":
            town.ground.add("patient_number", **ids, patient_no=f"p{line_no}")
        return person

    return enter


Enter = Callable[..., UUID]


def test_a_line_in_order_is_no_finding(scene: Scene, desk: Desk, enter: Enter) -> None:
    for number in (1, 2, 3):
        enter(number)
        desk.register(f"rg{number}", f"p{number}", received_at=number)
    assert check(scene) == []


def test_a_retry_keeps_its_first_arrival(scene: Scene, desk: Desk, enter: Enter) -> None:
    enter(1)
    enter(2)
    desk.come("rg1", 1.0, status=503)
    desk.register("rg2", "p2", received_at=2.0)
    desk.register("rg1", "p1", received_at=3.0)
    assert check(scene) == []


def test_whoever_overtakes_is_named(scene: Scene, desk: Desk, enter: Enter) -> None:
    enter(1)
    enter(2)
    desk.register("rg2", "p2", received_at=1.0)
    desk.register("rg1", "p1", received_at=2.0)
    one(check(scene), "rg1 (line 1) reached the hospital after rg2 (line 2)")


def test_an_entry_that_the_line_lost_is_named(town: Town, scene: Scene, desk: Desk, enter: Enter) -> None:
    enter(1)
    enter(3)
    desk.register("rg1", "p1", received_at=1.0)
    desk.register("rg3", "p3", received_at=2.0)
    town.ground.add("number_series", name=f"arrivals:{town.ids['H1']}", last_no=3)
    one(check(scene), "line numbers [2] are missing")


def test_a_second_booking_of_somebody_in_the_line_explains_a_gap(
    town: Town, scene: Scene, desk: Desk, enter: Enter
) -> None:
    person = enter(1)
    desk.register("rg1", "p1", received_at=1.0)
    town.ground.add(
        "appointment", hospital_id=town.ids["H1"], person_id=person, slot_id=uuid4(), status="booked", no="again"
    )
    town.ground.add("number_series", name=f"arrivals:{town.ids['H1']}", last_no=2)
    assert check(scene) == []


def test_a_booked_person_who_never_came_into_the_line_is_named(town: Town, scene: Scene) -> None:
    town.ground.add("appointment", hospital_id=town.ids["H1"], slot_id=uuid4(), status="booked", no="a9")
    one(check(scene), "a9", "never came into the line")


def test_registered_here_and_not_at_the_hospital_is_named(scene: Scene, desk: Desk, enter: Enter) -> None:
    enter(1)
    desk.register("rg1", "another", received_at=1.0)
    one(check(scene), "rg1", "not in the hospital under this patient number")


def test_whoever_was_bound_to_by_nobody_need_not_have_reached_the_hospital(
    scene: Scene, desk: Desk, enter: Enter
) -> None:
    enter(1, "failed", refused_code="unbound")
    assert check(scene) == []
    enter(2, "failed")
    one(check(scene), "rg2", "never reached the hospital")


def test_two_numbers_for_one_patient_are_named(town: Town, scene: Scene, desk: Desk, enter: Enter) -> None:
    town.ground.loosen("registration")
    person = enter(1)
    ids = {"hospital_id": town.ids["H1"], "person_id": person, "appointment_id": uuid4()}
    town.ground.add("registration", **ids, no="rg2", line_no=2, status="registered")
    for number in (1, 2):
        desk.register(f"rg{number}", "p1", received_at=number)
    found = check(scene)
    assert any("patient p1 was registered under 2 numbers" in finding for finding in found)
    assert any("stands in the line 2 times" in finding for finding in found)


def test_a_stranger_at_the_hospital_and_a_lost_answer_are_named(scene: Scene, desk: Desk, enter: Enter) -> None:
    enter(1, "registering")
    desk.register("rg1", "p1", received_at=1.0)
    desk.register("rg7", "p7", received_at=2.0)
    found = check(scene)
    assert any("rg7" in finding and "stands in no line" in finding for finding in found)
    assert any("the hospital registered rg1, but it is registering" in finding for finding in found)


def test_waiting_is_no_finding_while_the_day_goes_on(town: Town, enter: Enter) -> None:
    enter(1, "queued")
    assert check(scene_of(town.ground, finished=False)) == []
    one(check(scene_of(town.ground)), "rg1 (line 1) is still queued")


def test_who_does_not_stand_where_the_booking_was_accepted_is_named(scene: Scene, desk: Desk, enter: Enter) -> None:
    enter(1, arrival_no=2)
    desk.register("rg1", "p1", received_at=1.0)
    assert one(check(scene), "its booking was accepted as 2")
