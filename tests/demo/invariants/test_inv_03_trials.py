from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from demo.invariants.inv_03_trials import check, max_in_window, used
from demo.invariants.scene import Scene
from mock_partners.medical_insurance.server import MedicalInsurance
from tests.demo.invariants.kit import NOON, Town, one, scene_of

WINDOW = timedelta(seconds=6)
ANSWER = timedelta(milliseconds=200)


@pytest.fixture
def scene(town: Town, interface: MedicalInsurance) -> Scene:
    return scene_of(town.ground, urls={"M1": interface.url})


def ask(
    town: Town, number: int, at: datetime, *, line_no: int = 0, handed: int = 1, outcome: str = "done", of: str = "H1"
) -> None:
    """One settlement whose trial was admitted at `at` and answered 0.2 s later; it had waited since noon."""
    bill = town.bill(f"b{number}")
    ground, settlement = town.ground, uuid4()
    ids = {"interface_id": town.ids["M1"], "hospital_id": town.ids[of], "bill_id": bill["id"]}
    ground.add("settlement", **ids, id=settlement, no=f"st{number}", line_no=line_no or number, status="trialled")
    command = ground.add(
        "command", party_id=town.ids["M1"], kind="trial", lane="trial", once=True, subject=settlement,
        created_at=at, deadline=at + timedelta(seconds=10), status="answered",
    )  # fmt: skip
    ground.add("command_reply", id=command["id"], outcome=outcome, answered_at=at + ANSWER)
    said = {"actor_kind": "system", "detail": {}, "xid": 1}
    ground.add("audit_entry", **said, action="settlement.queue", subject_type="settlement", subject_id=settlement,
               to_status="trial_waiting", at=NOON)  # fmt: skip
    for _ in range(handed):
        ground.add("audit_entry", **said, action="command.fetch", subject_type="command", subject_id=command["id"])


def arrive(interface: MedicalInsurance, number: int, at: datetime, msgid: str = "") -> None:
    """The interface sees the trial of a bill."""
    msgid = msgid or f"m{number}"
    interface.gate.arrive(int(at.timestamp() * 1000), msgid)
    body = {"infno": "2206", "msgid": msgid, "fixmedins_code": "H1", "input": {"data": {"chrg_bchno": f"b{number}"}}}
    interface.note(method="POST", path="/fsi/api", query="", body=json.dumps(body), status=200)


def line(town: Town, interface: MedicalInsurance, count: int, *, pause: timedelta = timedelta(0)) -> None:
    """n = 3 at a time, each turn a window and an answer after the last one, and `pause` later than it could be."""
    for number in range(1, count + 1):
        turn = (number - 1) // 3
        at = NOON + turn * (WINDOW + ANSWER + pause)
        ask(town, number, at)
        arrive(interface, number, at)


def test_a_full_line_is_no_finding(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    line(town, interface, 9)
    assert check(scene) == []


def test_a_hundredth_of_a_minute_may_be_lost_at_each_turn(
    town: Town, interface: MedicalInsurance, scene: Scene
) -> None:
    line(town, interface, 9, pause=timedelta(milliseconds=600))
    assert check(scene) == []


def test_places_that_stand_empty_for_long_are_named(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    line(town, interface, 9, pause=timedelta(milliseconds=700))
    one(check(scene), "98.85% of the places were used", "4.20 s idle")


def test_a_lost_answer_holds_its_place() -> None:
    lost: dict[str, Any] = {
        "created_at": NOON,
        "deadline": NOON + timedelta(seconds=10),
        "answered_at": NOON + ANSWER,
        "outcome": "unknown",
        "code": "interface_no_answer",
        "handed": 1,
        "waiting_since": NOON,
    }
    admitted = NOON + timedelta(seconds=26)
    next_one = {**lost, "created_at": admitted, "answered_at": admitted + ANSWER, "outcome": "done"}
    assert used([lost, next_one], 1, WINDOW).share == 1.0
    assert used([{**lost, "code": "not_sent"}, next_one], 1, WINDOW).share < 0.7


def test_one_too_many_in_a_window_is_named(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    for number in range(1, 5):
        ask(town, number, NOON + timedelta(seconds=number))
        arrive(interface, number, NOON + timedelta(seconds=number))
    found = check(scene)
    assert any("4 trials reached the interface within 6 s, 3 are allowed" in finding for finding in found)
    assert any("refused 1 trials" in finding for finding in found)


@pytest.mark.parametrize(("gap_ms", "most"), [(6000, 1), (5999, 2)])
def test_a_window_is_half_open(gap_ms: int, most: int) -> None:
    assert max_in_window([{"at_ms": 1}, {"at_ms": 1 + gap_ms}], WINDOW) == most


def test_a_trial_that_was_sent_twice_is_named(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    ask(town, 1, NOON)
    arrive(interface, 1, NOON)
    arrive(interface, 1, NOON + timedelta(seconds=10), "m1-again")
    one(check(scene), "bill H1/b1: 2 trials reached the interface, 1 were handed out")


def test_an_answer_that_nobody_asked_the_interface_for_is_named(town: Town, scene: Scene) -> None:
    ask(town, 1, NOON)
    one(check(scene), "bill H1/b1: 1 trials are answered, 0 reached the interface")


def test_a_command_handed_out_twice_is_named(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    ask(town, 1, NOON, handed=2)
    arrive(interface, 1, NOON)
    one(check(scene), "st1", "handed out 2 times")


def test_whoever_is_admitted_before_the_line_is_named(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    for number, place in ((1, 2), (2, 1)):
        ask(town, number, NOON, line_no=place)
        arrive(interface, number, NOON)
    one(check(scene), "st2 (H1, line 1) was admitted behind line 2")


def test_another_hospital_may_be_admitted_before(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    town.ids["H2"] = town.ground.add("party", kind="hospital", code="H2")["id"]
    for number, place, of in ((1, 2, "H1"), (2, 1, "H2")):
        ask(town, number, NOON, line_no=place, of=of)
    assert not [finding for finding in check(scene) if "admitted behind" in finding]


def test_a_person_with_two_places_is_named(town: Town, interface: MedicalInsurance, scene: Scene) -> None:
    line(town, interface, 2)
    town.ground.loosen("settlement")
    town.ground.run("UPDATE settlement SET status = 'trial_waiting', person_id = %s", uuid4())
    one([finding for finding in check(scene) if "stands" in finding], "2 times: settlements st1, st2")
