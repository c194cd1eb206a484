from __future__ import annotations

from uuid import UUID

import pytest

from app.core.work import Runtime
from app.exchange import service
from tests.app.kit import run, value
from tests.app.partner import World

CASE = {"type": "claim.case_opened", "data": {"claim_no": "CL1", "case_no": "A-1"}}


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
        ("I1", "tie.revoked"),
        ("M1", "bank.returned"),
    ],
)
def test_nobody_sends_what_is_unknown_or_anothers_to_send(world: World, code: str, type: str) -> None:
    answer = world.partner[code].post("/messages", {"type": type, "data": {}})
    assert (answer.status_code, answer.json["code"]) == (422, "message_type_unknown")
