from __future__ import annotations

from uuid import UUID

import pytest

from app.core.work import Runtime
from app.exchange import service
from tests.app.exchange.kit import elsewhere, write
from tests.app.kit import Thread, run, value
from tests.app.partner import PartnerClient, World


@pytest.fixture
def agent(world: World) -> PartnerClient:
    return world.partner["H1"]


@pytest.fixture
def hospital(world: World) -> UUID:
    return world.party["H1"]


def ids(commands: list[dict[str, object]]) -> list[object]:
    return [command["id"] for command in commands]


def test_commands_come_in_sequence_lane_by_lane(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    first = [write(runtime, hospital) for _ in range(3)]
    other = write(runtime, hospital, "pull_patient", "pull")
    handed = agent.poll(max=3)
    assert ids(handed) == first
    assert [command["seq"] for command in handed] == [1, 2, 3]
    (last,) = agent.poll()
    assert (last["id"], last["lane"], last["seq"]) == (other, "pull", 1)
    later = write(runtime, hospital)
    assert [(one["id"], one["seq"]) for one in agent.poll()] == [(later, 4)]


def test_only_the_lanes_asked_for_are_handed_out(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    write(runtime, hospital)
    pull = write(runtime, hospital, "pull_patient", "pull")
    assert ids(agent.poll(lanes=["pull", "nobody-knows-this-lane"])) == [pull]
    assert agent.poll(lanes=[]) == []
    assert len(agent.poll()) == 1


def test_a_late_commit_gets_a_later_place(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    write(runtime, hospital)
    agent.poll()
    with runtime.work() as slow:
        early = service.command(slow, hospital, "register", {}, lane="registration", subject=None)
        quick = write(runtime, hospital)
        assert [(one["id"], one["seq"]) for one in agent.poll()] == [(quick, 2)]
    assert [(one["id"], one["seq"]) for one in agent.poll()] == [(str(early), 3)]


def test_no_more_than_the_lanes_limit_are_open(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    run(runtime, """UPDATE party SET config = '{"lane_limits": {"registration": 2}}' WHERE id = :id""", id=hospital)
    written = [write(runtime, hospital) for _ in range(4)]
    assert ids(agent.poll()) == written[:2]
    assert agent.poll() == []
    agent.answer(written[1])
    assert ids(agent.poll()) == [written[2]]


def test_an_agent_says_how_many_of_a_lane_it_can_hold(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    written = [write(runtime, hospital) for _ in range(4)]
    other = write(runtime, hospital, "pull_patient", "pull")
    few = {"registration": 2}
    assert set(ids(agent.poll(lane_limits=few))) == {*written[:2], other}
    assert agent.poll(lane_limits=few) == []
    agent.answer(written[0])
    assert ids(agent.poll(lane_limits=few)) == [written[2]]
    run(runtime, """UPDATE party SET config = '{"lane_limits": {"registration": 1}}' WHERE id = :id""", id=hospital)
    agent.answer(written[1])
    assert agent.poll(lane_limits=few) == [], "what we allow is the most"


def test_what_was_lost_on_the_way_comes_again_before_anything_newer(
    runtime: Runtime, agent: PartnerClient, hospital: UUID
) -> None:
    """The agent was killed before it had kept the second and the third."""
    written = [write(runtime, hospital) for _ in range(4)]
    assert ids(agent.poll(max=3, lane_seen={"registration": 0})) == written[:3]
    assert ids(agent.poll(max=3, lane_seen={"registration": 1})) == written[1:]
    assert agent.poll(lane_seen={"registration": 4}) == []
    assert agent.poll() == [], "who says nothing gets it after a while"
    write(runtime, hospital, "trial", "trial", once=True, in_s=60)
    assert len(agent.poll(lane_seen={"trial": 0, "registration": 4})) == 1
    assert agent.poll(lane_seen={"trial": 0, "registration": 4}) == [], "never one of once"


def test_an_unanswered_command_comes_again_but_not_one_of_once(
    runtime: Runtime, agent: PartnerClient, hospital: UUID
) -> None:
    again = write(runtime, hospital)
    write(runtime, hospital, "trial", "trial", once=True, in_s=60)
    assert len(agent.poll()) == 2
    run(runtime, "UPDATE command SET handed_at = handed_at - interval '31 seconds'")
    assert [(one["id"], one["seq"]) for one in agent.poll()] == [(again, 1)]
    assert agent.poll() == []


def test_a_command_of_once_needs_a_deadline(runtime: Runtime, hospital: UUID) -> None:
    with pytest.raises(Exception, match="once_needs_deadline"):
        write(runtime, hospital, "trial", "trial", once=True)


def test_the_time_left_is_told_and_past_it_nothing_is_handed_out(
    runtime: Runtime, agent: PartnerClient, hospital: UUID
) -> None:
    write(runtime, hospital, "trial", "trial", once=True, in_s=5)
    write(runtime, hospital, "trial", "trial", once=True, in_s=-0.1)
    (one,) = agent.poll()
    assert 0 < one["left_ms"] <= 5000
    assert agent.poll() == []


def test_a_command_nobody_would_follow_is_a_fault_of_its_writer(runtime: Runtime, hospital: UUID) -> None:
    with pytest.raises(ValueError, match="nobody follows"):
        write(runtime, hospital, "sing")


def test_two_pollers_share_and_never_double(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    written = [write(runtime, hospital) for _ in range(60)]

    def poll_all() -> list[dict[str, object]]:
        mine, found = elsewhere(agent), []
        while batch := mine.poll(max=7):
            found += batch
        return found

    both = [Thread(poll_all) for _ in range(3)]
    handed = [one for thread in both for one in thread.result()]
    assert sorted(ids(handed), key=str) == sorted(written)
    assert [one["id"] for one in sorted(handed, key=lambda one: int(str(one["seq"])))] == written


def test_bodies_are_sealed_and_each_hand_out_is_audited(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    command_id = write(runtime, hospital, body={"name": "张三"})
    assert "张三" not in value(runtime, "SELECT body_sealed FROM command")
    agent.poll()
    entry = run(runtime, "SELECT actor_kind, from_status, to_status FROM audit_entry WHERE action = 'command.fetch'")
    assert [tuple(row) for row in entry] == [("partner", "open", "fetched")]
    assert value(runtime, "SELECT subject_id::text FROM audit_entry WHERE action = 'command.fetch'") == command_id


def test_a_poll_that_is_replayed_gets_nothing(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    write(runtime, hospital)
    poll = {"max": 1, "wait_ms": 0}
    assert len(agent.ok("/commands/poll", poll, message_id="same")["commands"]) == 1
    write(runtime, hospital)
    replayed = agent.post("/commands/poll", poll, message_id="same")
    assert (replayed.status_code, replayed.json["code"]) == (409, "message_id_reused")
    assert len(agent.poll()) == 1
