from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.core.work import Runtime
from app.exchange import service
from tests.app.kit import run, value
from tests.app.partner import World

CASE = {"type": "claim.case_opened", "data": {"claim_no": "CL1", "case_no": "A-1"}}
REQUEST = {"request_no": "Q1", "hospital": "H1", "kind": "record.visit", "data": {"claim_no": "CL1"}}


def test_a_message_is_kept_once_and_tells_the_floors_above(
    runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "routes", {"exchange.message.claim.case_opened": ("audit.seal",)})
    insurer = world.partner["I1"]
    answer = insurer.post("/messages", CASE, message_id="m1")
    assert answer.status_code == 202
    assert insurer.ok("/messages", CASE, message_id="m1") == answer.json
    message_id = UUID(answer.json["message_id"])
    assert run(runtime, "SELECT subject FROM task") == [(message_id,)]
    with runtime.work() as work:
        opened = service.open_message(work, message_id)
    assert (opened.party_id, opened.type, opened.data) == (world.party["I1"], CASE["type"], CASE["data"])
    assert "CL1" not in value(runtime, "SELECT data_sealed FROM message")


@pytest.mark.parametrize(
    ("code", "type"),
    [
        ("I1", "claim.sung"),
        ("I1", "bank.returned"),
        ("B1", "claim.adjudicated"),
        ("H1", "claim.adjudicated"),
        ("M1", "bank.returned"),
    ],
)
def test_nobody_sends_what_is_unknown_or_anothers_to_send(world: World, code: str, type: str) -> None:
    answer = world.partner[code].post("/messages", {"type": type, "data": {}})
    assert (answer.status_code, answer.json["code"]) == (422, "message_type_unknown")


def test_a_request_for_data_is_answered_to_the_one_who_asked(runtime: Runtime, world: World) -> None:
    insurer = world.partner["I1"]
    request_id = UUID(insurer.ok("/requests", REQUEST)["request_id"])
    assert insurer.ok("/requests", REQUEST)["request_id"] == str(request_id)
    assert insurer.ok("/requests/answers/poll", {"cursor": 0}) == {"answers": []}
    with runtime.work() as work:
        opened = service.open_request(work, request_id)
        assert (opened.party_id, opened.hospital_id) == (world.party["I1"], world.party["H1"])
        assert (opened.request_no, opened.kind, opened.data) == ("Q1", "record.visit", {"claim_no": "CL1"})
        assert service.answer_request(work, request_id, "done", {"visits": []}) is True
        assert service.answer_request(work, request_id, "refused", {}) is False
    (answer,) = insurer.ok("/requests/answers/poll", {"cursor": 0})["answers"]
    assert answer == {"cursor": 1, "request_no": "Q1", "outcome": "done", "code": None, "data": {"visits": []}}
    assert insurer.ok("/requests/answers/poll", {"cursor": 1}) == {"answers": []}
    assert world.partner["I2"].ok("/requests/answers/poll", {"cursor": 0}) == {"answers": []}


@pytest.mark.parametrize(
    ("code", "wrong", "status", "reason"),
    [
        ("H2", {}, 403, "request_not_allowed"),
        ("I1", {"kind": "record.everything"}, 422, "request_kind_unknown"),
        ("I1", {"hospital": "H9"}, 422, "hospital_unknown"),
        ("I1", {"hospital": "I2"}, 422, "hospital_unknown"),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    world: World, code: str, wrong: dict[str, Any], status: int, reason: str
) -> None:
    answer = world.partner[code].post("/requests", REQUEST | wrong)
    assert (answer.status_code, answer.json["code"]) == (status, reason)


def test_a_request_number_is_used_for_one_request(world: World) -> None:
    world.partner["I1"].ok("/requests", REQUEST)
    world.partner["I2"].ok("/requests", REQUEST | {"data": {"claim_no": "CL2"}})
    answer = world.partner["I1"].post("/requests", REQUEST | {"data": {"claim_no": "CL2"}})
    assert (answer.status_code, answer.json["code"]) == (409, "request_no_reused")
