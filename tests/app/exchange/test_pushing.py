"""The change feed pushed to an insurer: the same messages as by polling, in order, each until it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import Invalid, NotFound, TryLater
from app.core.work import Runtime
from app.exchange import pushing, service
from mock_partners.insurer.server import Insurer
from tests.app.conftest import PARTIES
from tests.app.kit import DrainAll, Thread, run, value
from tests.app.partner import World
from tests.app.world import make_world
from workers.context import Context
from workers.drain import drain_with
from workers.kinds import KINDS, Desk

PUSH = "exchange.push"


@pytest.fixture
def insurer(runtime: Runtime, world: World) -> Iterator[Insurer]:
    """I1's own core system, which wants pushes."""
    entry = make_world()["insurers"][0] | {"outbound_secret": PARTIES["I1"].outbound_secret}
    double = Insurer(entry, {"exchange_url": "http://127.0.0.1:9"})
    double.start()
    subscribe(runtime, f"{double.url}/v1/changes")
    yield double
    double.stop()


def subscribe(runtime: Runtime, url: str) -> None:
    run(
        runtime,
        "UPDATE party SET config = config || jsonb_build_object('push_url', CAST(:url AS text)) WHERE code = 'I1'",
        url=url,
    )


def publish(runtime: Runtime, world: World, *numbers: int, code: str = "I1") -> None:
    for number in numbers:
        with runtime.work() as work:
            service.publish(work, world.party[code], "claim.payout", {"number": number})


def arrived(insurer: Insurer) -> list[int]:
    """The numbers that were taken, in the order in which they came."""
    return [change["data"]["number"] for change in insurer.feed.pushed().values()]


def tasks(runtime: Runtime) -> list[Any]:
    return [tuple(row) for row in run(runtime, "SELECT status, tries, last_error FROM task WHERE kind = :k", k=PUSH)]


def test_both_ways_carry_the_same_messages(
    runtime: Runtime, world: World, insurer: Insurer, drain_all: DrainAll
) -> None:
    publish(runtime, world, 1, 2)
    publish(runtime, world, 9, code="I2")
    drain_all(PUSH)
    polled = world.partner["I1"].ok("/changes/poll", {"cursor": 0})["changes"]
    assert list(insurer.feed.pushed().values()) == polled
    assert [change["cursor"] for change in polled] == [1, 2]
    ids = [UUID(one) for one in insurer.feed.pushed()]
    assert ids == [row.id for row in run(runtime, "SELECT id FROM change WHERE party_id = :p ORDER BY cursor",
                                         p=world.party["I1"])]  # fmt: skip
    assert tasks(runtime) == []


def test_nobody_is_pushed_to_who_did_not_ask_for_it(runtime: Runtime, world: World, drain_all: DrainAll) -> None:
    publish(runtime, world, 1)
    assert tasks(runtime) == [] and value(runtime, "SELECT count(*) FROM push") == 0
    with pytest.raises(NotFound), runtime.work() as work:
        pushing.push_again(work, world.party["I1"], 0)


def test_pushes_begin_where_the_insurer_has_stopped_to_read(
    runtime: Runtime, world: World, drain_all: DrainAll, insurer: Insurer
) -> None:
    publish(runtime, world, 1, 2)
    world.partner["I1"].ok("/changes/poll", {"cursor": 0})
    world.partner["I1"].ok("/changes/ack", {"cursor": 1})
    drain_all(PUSH)
    assert arrived(insurer) == [2]


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 401}, {"status": 404}, {"drop": "after"}])
def test_what_was_not_taken_is_sent_again_under_the_same_id_before_what_follows(
    runtime: Runtime, world: World, insurer: Insurer, drain_all: DrainAll, fault: dict[str, Any]
) -> None:
    insurer.fail("/v1/changes", **fault)
    publish(runtime, world, 1, 2)
    drain_all(PUSH)
    ((status, tries, cause),) = tasks(runtime)
    assert (status, tries) == ("due", 1) and cause.startswith("PartnerFault: pushes: ")
    publish(runtime, world, 3)
    assert len(tasks(runtime)) == 1, "one task sends everything"
    drain_all(PUSH, hurry=True)
    assert tried(insurer) == [1, 1, 2, 3]
    assert arrived(insurer) == [1, 2, 3], "three messages, whatever was sent twice"


def tried(insurer: Insurer) -> list[int]:
    """The cursor of every try."""
    return [_cursor(entry) for entry in insurer.journal if entry["path"] == "/v1/changes"]


def _cursor(entry: dict[str, Any]) -> int:
    return int(entry["body"].split('"cursor":')[1].split(",")[0])


def test_after_the_last_try_everything_waits_for_a_person(
    runtime: Runtime, world: World, insurer: Insurer, drain_all: DrainAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, PUSH, Desk(one=KINDS[PUSH].one, max_tries=2))
    insurer.fail("/v1/changes", status=503, times=2)
    publish(runtime, world, 1)
    drain_all(PUSH)
    drain_all(PUSH, hurry=True)
    publish(runtime, world, 2)
    assert [row[0] for row in tasks(runtime)] == ["dead"]
    with runtime.read() as session:
        (state,) = pushing.states(session)
    assert (state.party_id, state.cursor, state.waiting) == (world.party["I1"], 0, 2)
    with runtime.work() as work:
        pushing.push_again(work, world.party["I1"], 0)
    drain_all(PUSH)
    assert arrived(insurer) == [1, 2] and tasks(runtime) == []


def test_who_is_gone_is_not_asked_again(runtime: Runtime, world: World, insurer: Insurer, drain_all: DrainAll) -> None:
    insurer.fail("/v1/changes", status=410)
    publish(runtime, world, 1)
    drain_all(PUSH)
    assert [row[:2] for row in tasks(runtime)] == [("dead", 1)]


def test_a_feed_is_sent_again_from_a_cursor(
    runtime: Runtime, world: World, insurer: Insurer, drain_all: DrainAll
) -> None:
    publish(runtime, world, 1, 2, 3)
    drain_all(PUSH)
    with runtime.work() as work:
        pushing.push_again(work, world.party["I1"], 1)
    drain_all(PUSH)
    assert tried(insurer) == [1, 2, 3, 2, 3] and arrived(insurer) == [1, 2, 3]
    with pytest.raises(Invalid, match="cursor_unknown"), runtime.work() as work:
        pushing.push_again(work, world.party["I1"], 4)


def test_one_worker_sends_at_a_time_and_a_dead_one_is_not_waited_for_long(
    runtime: Runtime, world: World, insurer: Insurer
) -> None:
    publish(runtime, world, 1)
    with runtime.work() as work:
        due = pushing.begin(work, world.party["I1"])
    assert due is not None and due.body == {"cursor": 1, "type": "claim.payout", "data": {"number": 1}}
    with pytest.raises(TryLater), runtime.work() as work:
        pushing.begin(work, world.party["I1"])
    run(runtime, "UPDATE push SET busy_until = now() - interval '1 second'")
    with runtime.work() as work:
        again = pushing.begin(work, world.party["I1"])
    assert again is not None and again.change_id == due.change_id


def test_a_cursor_that_is_put_back_while_a_change_is_sent_stays_there(
    runtime: Runtime, world: World, insurer: Insurer
) -> None:
    publish(runtime, world, 1, 2)
    for _ in range(2):
        with runtime.work() as work:
            due = pushing.begin(work, world.party["I1"])
        assert due is not None
        if due.before == 1:
            with runtime.work() as work:
                pushing.push_again(work, world.party["I1"], 0)
        with runtime.work() as work:
            pushing.taken(work, world.party["I1"], due)
    assert value(runtime, "SELECT cursor FROM push") == 0


def test_a_change_that_is_published_while_the_last_one_is_sent_is_not_forgotten(
    runtime: Runtime, world: World, insurer: Insurer, here: Context
) -> None:
    """The waiting task is kept back until the transaction that counts on it is over."""
    publish(runtime, world, 1)
    with runtime.work() as slow:
        service.publish(slow, world.party["I1"], "claim.payout", {"number": 2})
        slow.write()
        drain_with(here, PUSH)
        assert arrived(insurer) == []
    drain_with(here, PUSH)
    assert arrived(insurer) == [1, 2] and tasks(runtime) == []


def test_many_publishers_at_once_lose_nothing(
    runtime: Runtime, world: World, insurer: Insurer, drain_all: DrainAll
) -> None:
    threads = [Thread(lambda n=n: publish(runtime, world, n)) for n in range(8)]  # type: ignore[misc]
    drain_all(PUSH)
    for thread in threads:
        thread.result()
    while tasks(runtime):
        drain_all(PUSH, hurry=True)
    assert sorted(arrived(insurer)) == list(range(8))
