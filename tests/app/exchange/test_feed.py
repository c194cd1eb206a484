from __future__ import annotations

import time
from typing import Any

import pytest

from app.core.work import Runtime
from app.exchange import feed, service
from app.exchange.programs import Signer
from tests.app.exchange.kit import elsewhere
from tests.app.kit import Thread, value
from tests.app.partner import PartnerClient, World


@pytest.fixture
def insurer(world: World) -> PartnerClient:
    return world.partner["I1"]


def publish(runtime: Runtime, world: World, *numbers: int, code: str = "I1") -> None:
    for number in numbers:
        with runtime.work() as work:
            service.publish(work, world.party[code], "claim.paid", {"number": number})


def read(insurer: PartnerClient, cursor: int | None = None, **ask: Any) -> list[tuple[int, int]]:
    changes = insurer.ok("/changes/poll", {"cursor": cursor} | ask)["changes"]
    return [(change["cursor"], change["data"]["number"]) for change in changes]


def test_changes_come_in_order_and_only_to_their_party(runtime: Runtime, world: World, insurer: PartnerClient) -> None:
    publish(runtime, world, 1, 2)
    publish(runtime, world, 9, code="I2")
    assert read(insurer, 0) == [(1, 1), (2, 2)]
    publish(runtime, world, 3)
    assert read(insurer, 2) == [(3, 3)]
    assert read(insurer, 1, max=1) == [(2, 2)]
    assert read(world.partner["I2"], 0) == [(1, 9)]
    assert "number" not in value(runtime, "SELECT data_sealed FROM change LIMIT 1")


def test_what_is_acknowledged_is_left_behind(runtime: Runtime, world: World, insurer: PartnerClient) -> None:
    publish(runtime, world, 1, 2, 3)
    assert len(read(insurer)) == 3
    assert insurer.ok("/changes/ack", {"cursor": 2}) == {"cursor": 2}
    assert read(insurer) == [(3, 3)]
    assert insurer.ok("/changes/ack", {"cursor": 1}) == {"cursor": 2}
    assert read(insurer, 0)[0] == (1, 1)
    answer = insurer.post("/changes/ack", {"cursor": 4})
    assert (answer.status_code, answer.json["code"]) == (422, "cursor_unknown")


def test_a_late_commit_is_not_missed(runtime: Runtime, world: World, insurer: PartnerClient) -> None:
    with runtime.work() as slow:
        service.publish(slow, world.party["I1"], "claim.paid", {"number": 1})
        slow.session.flush()
        publish(runtime, world, 2)
        assert read(insurer, 0) == [(1, 2)]
    assert read(insurer, 1) == [(2, 1)]


def test_readers_at_the_same_time_agree(runtime: Runtime, world: World, insurer: PartnerClient) -> None:
    publish(runtime, world, *range(20))
    threads = [Thread(lambda: read(elsewhere(insurer), 0)) for _ in range(4)]
    first, *others = [thread.result() for thread in threads]
    assert [cursor for cursor, _ in first] == list(range(1, 21))
    assert others == [first] * 3


def test_a_place_that_was_given_is_never_given_to_another(
    runtime: Runtime, world: World, insurer: PartnerClient
) -> None:
    with runtime.read() as session:
        partner = service.partner_by_code(session, "I1-core")
    signer = Signer(partner.id, partner.party_id)
    with runtime.work() as first:
        with runtime.work() as slow:
            service.publish(slow, world.party["I1"], "claim.paid", {"number": 1})
            slow.session.flush()
            publish(runtime, world, 2)
            assert [(one.cursor, one.data["number"]) for one in feed.changes(first, signer, 0, 10)] == [(1, 2)]
        second = Thread(lambda: read(elsewhere(insurer), 0))
        time.sleep(0.3)
    assert second.result() == [(1, 2), (2, 1)]


def test_an_answer_that_is_large_gets_no_further_change(
    runtime: Runtime, world: World, insurer: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "FULL_BYTES", 1_000)
    with runtime.work() as work:
        for number in range(4):
            text = "x" * 2_000 if number == 1 else ""
            service.publish(work, world.party["I1"], "claim.package", {"number": number, "text": text})
    assert read(insurer, 0) == [(1, 0), (2, 1)]
    assert read(insurer, 1) == [(2, 1)], "one is always given, however large"
    assert read(insurer, 2) == [(3, 2), (4, 3)]
    assert read(insurer, 2, max=1) == [(3, 2)]
