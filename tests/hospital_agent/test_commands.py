"""Commands are started in order, worked on once, and always end in an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hospital_agent import clock
from hospital_agent.commands import Call, Desk, Lane, work_on
from hospital_agent.errors import AgentStops, Refused, Temporary, Unknown, Unsent
from hospital_agent.store.commands import Answer, Command, Inbox
from hospital_agent.store.db import Store


def command(number: int, lane: str = "registration", kind: str = "register") -> Command:
    return Command(f"C{number}", kind, lane, number, {"n": number})


def wait_until(true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    ends_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends_s, "not in time"
        time.sleep(0.002)


class Watched(Inbox):
    """Counts how often the store did not take an answer."""

    refused = 0

    def answer(self, answer: Answer) -> None:
        try:
            super().answer(answer)
        except Exception:
            self.refused += 1
            raise


def fill(store: Store) -> None:
    """The disk is nearly full: short texts find a place, long ones do not."""
    store.all("PRAGMA max_page_count = 1")  # SQLite takes as many as there are


def make_room(store: Store) -> None:
    store.all("PRAGMA max_page_count = 1000000")


def outcome(error: Exception | None) -> tuple[str, str | None]:
    def handler(_: Call) -> Mapping[str, Any]:
        if error:
            raise error
        return {}

    answer = work_on(Call(command(1), lambda: None), {"register": handler})
    return answer.outcome, answer.code


def test_what_a_handler_does_becomes_the_answer() -> None:
    assert outcome(None) == ("done", None)
    assert outcome(Refused("blacklisted")) == ("refused", "blacklisted")
    assert outcome(Temporary("his_timeout")) == ("failed", "his_timeout")
    assert outcome(Unknown("interface_no_answer")) == ("unknown", "interface_no_answer")
    assert outcome(RuntimeError("ours")) == ("failed", "agent_error")
    assert outcome(Unsent("his_unreachable")) == ("failed", "his_unreachable"), "where no order is kept"


def test_a_command_that_the_end_of_the_agent_interrupts_stays_for_the_next_life(store: Store) -> None:
    def wait(_: Call) -> Mapping[str, Any]:
        raise AgentStops("agent_stops")

    inbox = Inbox(store)
    desk = Desk(inbox, {"register": wait}, {"": 1, "registration": 1})
    desk.take([command(1)])
    wait_until(desk.is_idle)
    desk.close()
    assert inbox.undelivered() == []
    assert [left.id for left in inbox.left_over()] == ["C1"]


def test_an_ordered_lane_starts_the_next_when_the_request_before_has_left() -> None:
    started: list[int] = []
    release = {n: threading.Event() for n in range(1, 4)}

    def run(call: Call) -> None:
        started.append(call.command.seq)
        release[call.command.seq].wait(5)
        call.sent()
        release[call.command.seq].wait(5)

    lane = Lane("registration", 3, run, in_order=True)
    for number in (1, 2, 3):
        lane.put(command(number))
    wait_until(lambda: started == [1])
    time.sleep(0.05)
    assert started == [1]
    for number in (1, 2, 3):
        release[number].set()
    wait_until(lambda: started == [1, 2, 3])
    lane.close()


def test_a_lane_is_as_wide_as_it_says() -> None:
    open_now, most, guard = 0, 0, threading.Lock()

    def run(_: Call) -> None:
        nonlocal open_now, most
        with guard:
            open_now += 1
            most = max(most, open_now)
        time.sleep(0.02)
        with guard:
            open_now -= 1

    lane = Lane("x", 2, run)
    for number in range(8):
        lane.put(command(number))
    lane.close()
    assert most == 2


def test_a_desk_works_on_each_command_once_and_keeps_the_order(store: Store) -> None:
    done: list[int] = []

    def register(call: Call) -> Mapping[str, Any]:
        done.append(call["n"])
        return {"patient_no": str(call["n"])}

    inbox = Inbox(store)
    desk = Desk(inbox, {"register": register}, {"": 4, "registration": 1})
    desk.take([command(n) for n in range(20)])
    desk.take([command(n) for n in range(20)])
    wait_until(desk.is_idle)
    desk.close()
    assert done == list(range(20))
    assert len(inbox.undelivered()) == 20


def test_registrations_do_not_hold_up_other_commands(store: Store) -> None:
    gate = threading.Event()

    def register(_: Call) -> Mapping[str, Any]:
        gate.wait(5)
        return {}

    inbox = Inbox(store)
    desk = Desk(inbox, {"register": register, "list_ties": lambda _: {}}, {"": 1, "registration": 1})
    desk.take([command(1), command(2), command(3, "pull", "list_ties")])
    wait_until(lambda: [a["id"] for a in inbox.undelivered()] == ["C3"])
    assert desk.wait_for_room("registration", 2, 0) == 0
    gate.set()
    desk.close()


def test_what_was_not_started_is_there_for_the_next_life(store: Store) -> None:
    gate = threading.Event()

    def register(_: Call) -> Mapping[str, Any]:
        gate.wait(5)
        return {}

    inbox = Inbox(store)
    desk = Desk(inbox, {"register": register}, {"": 1, "registration": 1})
    desk.take([command(n) for n in range(5)])
    wait_until(lambda: desk.wait_for_room("registration", 5, 0) == 0)
    threading.Timer(0.1, gate.set).start()
    desk.close()
    answered = {a["id"] for a in inbox.undelivered()}
    left = {c.id for c in inbox.left_over()}
    assert answered | left == {f"C{n}" for n in range(5)}
    assert not answered & left
    assert left


def test_what_lay_here_until_its_deadline_is_not_begun() -> None:
    begun: list[str] = []

    def handler(call: Call) -> Mapping[str, Any]:
        begun.append(call.command.kind)
        return {}

    for kind, late in (("confirm_appointment", True), ("trial", True), ("confirm_appointment", False)):
        deadline_s = clock.steady_s() + (-1 if late else 60)
        given = Command("C1", kind, "", 1, {}, deadline_s)
        answer = work_on(Call(given, lambda: None), {kind: handler})
        if late and kind != "trial":
            assert (answer.outcome, answer.code) == ("failed", "past_deadline")
    assert begun == ["trial", "confirm_appointment"], "a trial's own handler says what became of it"


def test_nobody_overtakes_a_request_that_cannot_leave(store: Store) -> None:
    there, asked = threading.Event(), list[int]()

    def register(call: Call) -> Mapping[str, Any]:
        if not there.is_set():
            raise Unsent("his_unreachable")
        asked.append(call["n"])
        call.sent()
        return {}

    inbox = Inbox(store)
    desk = Desk(inbox, {"register": register}, {"": 1, "registration": 4})
    desk.take([command(n) for n in range(6)])
    time.sleep(0.5)
    assert (asked, inbox.undelivered()) == ([], []), "nothing is answered, nothing fails"
    there.set()
    wait_until(desk.is_idle)
    desk.close()
    assert asked == list(range(6))
    assert {answer["outcome"] for answer in inbox.undelivered()} == {"done"}


def test_what_could_not_leave_stays_for_the_next_life(store: Store) -> None:
    def register(_: Call) -> Mapping[str, Any]:
        raise Unsent("his_unreachable")

    inbox = Inbox(store)
    desk = Desk(inbox, {"register": register}, {"": 1, "registration": 2})
    desk.take([command(1), command(2)])
    time.sleep(0.1)
    desk.close()
    assert inbox.undelivered() == []
    assert [left.id for left in inbox.left_over()] == ["C1", "C2"]


def test_an_answer_waits_for_room_on_the_disk_and_nothing_is_done_twice(store: Store) -> None:
    done: list[str] = []

    def settle(call: Call) -> Mapping[str, Any]:
        done.append(call.command.id)
        return {"setl_id": "S" * 100_000}

    inbox = Watched(store)
    desk = Desk(inbox, {"settle": settle}, {"": 1})
    given = Command("C1", "settle", "settlement", 1, {})
    fill(store)
    desk.take([given])
    wait_until(lambda: inbox.refused > 0)
    desk.take([given])
    assert not desk.is_idle() and inbox.undelivered() == []
    make_room(store)
    wait_until(desk.is_idle)
    desk.close()
    assert [(one["id"], one["outcome"]) for one in inbox.undelivered()] == [("C1", "done")]
    assert done == ["C1"]


def test_what_was_in_hand_when_the_agent_ended_on_a_full_disk_is_left_over(store: Store) -> None:
    inbox = Watched(store)
    desk = Desk(inbox, {"settle": lambda _: {"setl_id": "S" * 100_000}}, {"": 1})
    fill(store)
    desk.take([Command("C1", "settle", "settlement", 1, {})])
    wait_until(lambda: inbox.refused > 0)
    desk.close()
    make_room(store)
    assert inbox.undelivered() == []
    Desk(inbox, {}, {"": 1}).resume()
    assert [(one["outcome"], one["code"]) for one in inbox.undelivered()] == [("unknown", "agent_restarted")]


@pytest.mark.parametrize(("kind", "outcome"), [("register", "failed"), ("settle", "unknown")])
@pytest.mark.parametrize("content", ["\ud800", b"P1", float], ids=["half a character", "bytes", "no data"])
def test_what_no_store_can_keep_is_an_unfit_answer(store: Store, kind: str, outcome: str, content: Any) -> None:
    inbox = Inbox(store)

    def handler(call: Call) -> Mapping[str, Any]:
        if kind == "settle":
            inbox.begin_once(call.command.id)
        return {"patient_no": content}

    desk = Desk(inbox, {kind: handler}, {"": 1})
    desk.take([command(1, kind=kind)])
    wait_until(desk.is_idle)
    desk.close()
    assert [(one["outcome"], one["code"]) for one in inbox.undelivered()] == [(outcome, "answer_unfit")]
    assert inbox.left_over() == []
