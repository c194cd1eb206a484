from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.core.work import Runtime
from app.exchange import listener as listening
from app.exchange import service
from app.exchange.contracts import MAX_WAIT_MS
from app.exchange.listener import listener
from tests.app.exchange.kit import elsewhere, write
from tests.app.kit import Thread, run, value
from tests.app.partner import PartnerClient, World

# A poll that nothing wakes takes two seconds, the most that it may ask for.
NOT_WOKEN_S = 1.95
PIDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
LISTENING = f"SELECT count(*) FROM ({PIDS}) AS listening"  # noqa: S608


@pytest.fixture
def agent(world: World) -> PartnerClient:
    return world.partner["H1"]


@pytest.fixture
def hospital(world: World) -> UUID:
    return world.party["H1"]


def long_poll(partner: PartnerClient, path: str = "/commands/poll", **ask: Any) -> Thread:
    """A poll in a thread; its result is (answer, seconds)."""
    mine = elsewhere(partner)

    def poll() -> tuple[Any, float]:
        started = time.monotonic()
        return mine.ok(path, {"wait_ms": MAX_WAIT_MS} | ask), time.monotonic() - started

    thread = Thread(poll)
    time.sleep(0.4)
    return thread


def test_nothing_is_opened_before_somebody_waits(runtime: Runtime, agent: PartnerClient) -> None:
    assert agent.poll() == []
    assert listener(runtime.settings.database_url).connected is False
    assert value(runtime, LISTENING) == 0


def test_a_waiting_poll_is_woken_by_the_commit(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    polls = [long_poll(agent, lanes=["registration"]), long_poll(agent, lanes=["pull"], wait_ms=1500)]
    command_id = write(runtime, hospital)
    answer, took_s = polls[0].result()
    assert [one["id"] for one in answer["commands"]] == [command_id]
    assert took_s < NOT_WOKEN_S and 0 < answer["waited_ms"] <= 1000 * took_s
    assert polls[1].result()[0]["commands"] == []
    wait_until(lambda: value(runtime, LISTENING) == 1)


def test_an_idle_poll_ends_in_time(agent: PartnerClient) -> None:
    answer, took_s = long_poll(agent, wait_ms=600).result()
    assert answer["commands"] == [] and answer["waited_ms"] <= 1000 * took_s and 0.55 < took_s < NOT_WOKEN_S


def test_a_waiting_poll_holds_no_connection(runtime: Runtime, agent: PartnerClient) -> None:
    agent.poll()  # what other tests have left
    poll = long_poll(agent)
    wait_until(lambda: runtime.database.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
    assert poll.is_alive(), "it held one to its end"
    idle = value(runtime, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")
    assert idle == 0
    poll.result()


def cut(runtime: Runtime) -> int:
    """End the listening connection; the id of its backend."""
    (pid,) = run(runtime, PIDS)[0]
    run(runtime, "SELECT pg_terminate_backend(:pid)", pid=pid)
    return int(pid)


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)


def test_without_the_listening_connection_polls_look_for_themselves(
    runtime: Runtime, agent: PartnerClient, hospital: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "RECONNECT_S", 2.5)
    write(runtime, hospital)
    agent.poll()
    poll = long_poll(agent)
    cut(runtime)
    wait_until(lambda: not listener(runtime.settings.database_url).connected)
    write(runtime, hospital)
    answer, took_s = poll.result()
    assert len(answer["commands"]) == 1
    assert took_s < NOT_WOKEN_S
    wait_until(lambda: listener(runtime.settings.database_url)._thread is None)  # it would sleep into the next test


def test_a_lost_listening_connection_is_opened_again(
    runtime: Runtime, agent: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "RECONNECT_S", 0.1)
    polls = [long_poll(agent)]
    wait_until(lambda: run(runtime, PIDS) != [])
    lost = cut(runtime)

    def again() -> bool:
        if not polls[-1].is_alive():  # somebody has to wait for it
            polls.append(long_poll(agent))
        return [pid for (pid,) in run(runtime, PIDS) if pid != lost] != []

    wait_until(again)
    for poll in polls:
        poll.result()


def test_when_nobody_waits_any_more_the_connection_is_given_up(
    runtime: Runtime, agent: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "IDLE_S", 0.0)
    for _ in range(2):
        long_poll(agent, wait_ms=800).result()
        wait_until(lambda: value(runtime, LISTENING) == 0)


def test_a_change_wakes_the_insurer_that_waits(runtime: Runtime, world: World) -> None:
    polls = {
        "I1": long_poll(world.partner["I1"], "/changes/poll", cursor=0),
        "I2": long_poll(world.partner["I2"], "/changes/poll", cursor=0, wait_ms=1500),
    }
    with runtime.work() as work:
        service.publish(work, world.party["I1"], "claim.paid", {})
    assert len(polls["I1"].result()[0]["changes"]) == 1
    assert polls["I2"].result()[0]["changes"] == []


def test_an_answer_makes_room_for_a_waiting_poll(runtime: Runtime, agent: PartnerClient, hospital: UUID) -> None:
    run(runtime, """UPDATE party SET config = '{"lane_limits": {"registration": 1}}' WHERE id = :id""", id=hospital)
    first, second = write(runtime, hospital), write(runtime, hospital)
    assert [one["id"] for one in agent.poll()] == [first]
    poll = long_poll(agent)
    agent.answer(first)
    answer, took_s = poll.result()
    assert [one["id"] for one in answer["commands"]] == [second] and took_s < NOT_WOKEN_S
