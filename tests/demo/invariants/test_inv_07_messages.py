from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from demo.invariants.inv_07_messages import check
from demo.invariants.scene import Scene
from mock_partners.insurer.server import Insurer
from mock_wechat.server import WeChat
from tests.demo.invariants.kit import WORLD, Ground, Town, one, scene_of

Receive = Callable[..., UUID]


@pytest.fixture
def receive(town: Town, insurer: Insurer) -> Receive:
    """The insurer sent a message, and it was taken into the inbox and kept."""

    def receive(message_id: str = "msg_1", kept: int = 1) -> UUID:
        partner, first = town.partners["I1-core"], uuid4()
        answer = {"message_id": str(first)}
        town.ground.add("inbox_message", partner_id=partner, message_id=message_id, answer=answer)
        for row_id in [first, *(uuid4() for _ in range(kept - 1))][:kept]:
            values = {"id": row_id, "party_id": town.ids["I1"], "type": "claim.adjudicated"}
            town.ground.add("message", partner_id=partner, **values)
        insurer.table("sent").put(message_id, {"message_id": message_id, "type": "claim.adjudicated", "status": 202})
        insurer.table("sent").put(f"{message_id}:again", {"message_id": message_id, "type": "claim.adjudicated"})
        return first

    return receive


@pytest.fixture
def scene(ground: Ground, insurer: Insurer) -> Scene:
    return scene_of(ground, urls={"I1": insurer.url})


def test_a_message_sent_twice_and_kept_once_is_no_finding(receive: Receive, scene: Scene) -> None:
    receive()
    assert check(scene) == []


def test_a_message_kept_twice_is_named(receive: Receive, scene: Scene) -> None:
    receive(kept=2)
    one(check(scene), "(claim.adjudicated) is the effect of 0 received ids")


def test_a_message_accepted_and_lost_is_named(receive: Receive, scene: Scene) -> None:
    first = receive(kept=0)
    one(check(scene), f"message {first} was accepted, but is not there")


def test_a_message_that_never_came_into_the_inbox_is_named(scene: Scene, insurer: Insurer) -> None:
    insurer.table("sent").put("msg_7", {"message_id": "msg_7", "type": "claim.case_opened", "status": 202})
    one(check(scene), "I1's message msg_7 (claim.case_opened) was taken, but is not in the inbox")


def test_a_state_that_goes_forwards_is_no_finding(ground: Ground) -> None:
    ground.walk("payout", uuid4(), "created", "approved", "sending", "unknown", "sending", "succeeded", "returned")
    ground.walk("claim", uuid4(), "submitted", "assembling", "verifying", "verified", "delivering", "adjudicating")
    assert check(scene_of(ground)) == []


@pytest.mark.parametrize(
    ("table", "states", "words"),
    [
        ("payout", ("created", "approved", "sending", "succeeded", "accepted"), "moved from succeeded to accepted"),
        ("claim", ("submitted", "assembling", "submitted"), "moved from assembling to submitted"),
        ("registration", ("registered",), "moved from None to registered"),
        ("mystery", ("one", "two"), "nobody has written down how it may"),
    ],
)
def test_a_state_that_goes_backwards_is_named(ground: Ground, table: str, states: tuple[str, ...], words: str) -> None:
    row_id = uuid4()
    ground.walk(table, row_id, *states)
    one(check(scene_of(ground)), f"{table} {row_id}", words)


def test_a_change_that_starts_where_the_last_did_not_end_is_named(ground: Ground) -> None:
    row_id = uuid4()
    ground.walk("appointment", row_id, "pending", "booked")
    entry: dict[str, Any] = {"action": "a", "subject_type": "appointment", "subject_id": row_id, "detail": {}, "xid": 1}
    ground.add("audit_entry", **entry, from_status="pending", to_status="cancelled")
    one(check(scene_of(ground)), "went from pending to cancelled, but was booked")


def test_a_decision_that_is_there_twice_is_named(town: Town) -> None:
    town.ground.loosen("decision")
    claim = town.claim("CL1")
    town.decision(claim, {})
    town.decision(claim, {})
    one(check(scene_of(town.ground)), "decision D1 of claim CL1 is there 2 times")


def test_notifications_of_wechat_pay_are_kept_once(
    ground: Ground, wechat: WeChat, wechat_world: dict[str, Any]
) -> None:
    ground.loosen("pay_notification")
    mchid = wechat_world["merchants"][0]["mchid"]
    content = {"body": json.dumps({"id": "n1"})}
    push = {"kind": "pay", "owner": mchid, "state": "taken", "topic": "REFUND.SUCCESS", "content": content}
    wechat.ground.table("push").put("000000001", push)
    scene = scene_of(ground, world={**WORLD, "wechat": wechat_world}, urls={"wechat": wechat.url})
    one(check(scene), "notification n1 (REFUND.SUCCESS) was taken, but is not kept")
    ground.add("pay_notification", mchid=mchid, notification_id="n1", content={})
    assert check(scene) == []
    ground.add("pay_notification", mchid=mchid, notification_id="n1", content={})
    one(check(scene), "notification n1 was applied 2 times")
