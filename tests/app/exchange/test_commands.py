from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.paging import PageQuery
from app.core.work import Runtime
from app.exchange import queries, service
from app.exchange.states import commands
from tests.app.exchange.kit import elsewhere, write
from tests.app.kit import DrainAll, Thread, run, value
from tests.app.partner import World


def test_a_command_goes_to_its_partner_and_comes_back_answered(runtime: Runtime, world: World) -> None:
    subject = uuid4()
    with runtime.work() as work:
        command_id = service.command(
            work, world.party["H1"], "register", {"name": "张三"}, lane="registration", subject=subject
        )
    (handed,) = world.partner["H1"].poll()
    assert handed == {
        "id": str(command_id),
        "kind": "register",
        "lane": "registration",
        "seq": 1,
        "left_ms": None,
        "body": {"name": "张三"},
    }
    assert world.partner["H1"].poll() == []
    taken = world.partner["H1"].answer(handed["id"], {"patient_no": "P1"})
    assert taken == {"accepted": [str(command_id)], "ignored": []}
    with runtime.work() as work:
        answer = service.answer(work, command_id)
    assert (answer.subject, answer.outcome, answer.body) == (subject, "done", {"patient_no": "P1"})
    assert value(runtime, "SELECT count(*) FROM audit_entry WHERE action = 'read.command_reply.reply_sealed'") == 1


def test_the_first_answer_wins(runtime: Runtime, world: World) -> None:
    agent, command_id = world.partner["H1"], write(runtime, world.party["H1"])
    agent.poll()
    agent.answer(command_id, {"patient_no": "P1"})
    late = agent.answer(command_id, {"patient_no": "P2"}, outcome="refused", code="blacklisted")
    assert late == {"accepted": [], "ignored": [command_id]}
    with runtime.work() as work:
        assert service.answer(work, UUID(command_id)).body == {"patient_no": "P1"}


def test_two_different_answers_in_one_message_count_once(runtime: Runtime, world: World) -> None:
    agent, command_id = world.partner["H1"], write(runtime, world.party["H1"])
    agent.poll()
    both = [{"id": command_id, "outcome": outcome} for outcome in ("done", "refused")]
    assert agent.ok("/commands/answers", {"answers": both})["accepted"] == [command_id]
    with runtime.work() as work:
        assert service.answer(work, UUID(command_id)).outcome == "done"


def test_answers_that_race_count_once(runtime: Runtime, world: World) -> None:
    agent = world.partner["H1"]
    written = [write(runtime, world.party["H1"]) for _ in range(20)]
    agent.poll()

    def answer_all(order: list[str]) -> Any:
        answers = [{"id": one, "outcome": "done"} for one in order]
        return elsewhere(agent).ok("/commands/answers", {"answers": answers})["accepted"]

    threads = [Thread(partial(answer_all, order)) for order in (written, written[::-1], written[5:])]
    accepted = [one for thread in threads for one in thread.result()]
    assert sorted(accepted) == sorted(written)
    assert value(runtime, "SELECT count(*) FROM command_reply") == 20


def test_what_was_never_handed_out_cannot_be_answered(runtime: Runtime, world: World) -> None:
    command_id, unknown = write(runtime, world.party["H1"]), str(uuid4())
    for guess in (command_id, unknown):
        assert world.partner["H1"].answer(guess) == {"accepted": [], "ignored": [guess]}


def test_another_partys_command_cannot_be_answered(runtime: Runtime, world: World) -> None:
    command_id = write(runtime, world.party["H1"])
    world.partner["H1"].poll()
    assert world.partner["H2"].answer(command_id)["accepted"] == []
    assert world.partner["H1"].answer(command_id)["accepted"] == [command_id]


def test_an_answer_tells_the_floors_above(runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "routes", {"exchange.answered.register": ("audit.seal",)})
    command_id = write(runtime, world.party["H1"])
    world.partner["H1"].poll()
    assert value(runtime, "SELECT count(*) FROM task") == 0
    world.partner["H1"].answer(command_id)
    assert value(runtime, "SELECT subject::text FROM task WHERE kind = 'audit.seal'") == command_id


@pytest.mark.parametrize("handed", [True, False])
def test_past_its_deadline_a_command_is_answered_unknown(
    runtime: Runtime, world: World, drain_all: DrainAll, handed: bool
) -> None:
    command_id = write(runtime, world.party["M1"], "trial", "trial", once=True, in_s=5)
    in_time = write(runtime, world.party["M1"], "trial", "trial", once=True, in_s=60)
    if handed:
        world.partner["M1"].poll()
    run(runtime, "UPDATE command SET deadline = now() - interval '2 seconds' WHERE id = :id", id=command_id)
    with runtime.work() as work:
        work.later("exchange.overdue", None)
    drain_all("exchange.overdue")
    with runtime.work() as work:
        answer = service.answer(work, UUID(command_id))
        code = "overdue" if handed else "not_handed_out"
        assert (answer.outcome, answer.code, answer.body) == ("unknown", code, {})
        with pytest.raises(ValueError, match="no answer"):
            service.answer(work, UUID(in_time))
    assert world.partner["M1"].answer(command_id, {"fund_fen": 1})["accepted"] == []


def test_an_answer_on_its_way_at_the_deadline_still_counts(runtime: Runtime, world: World, drain_all: DrainAll) -> None:
    command_id = write(runtime, world.party["M1"], "trial", "trial", once=True, in_s=60)
    world.partner["M1"].poll()
    run(runtime, "UPDATE command SET deadline = now() - interval '10 milliseconds'")
    with runtime.work() as work:
        assert service.expire(work) == 0
    assert world.partner["M1"].answer(command_id)["accepted"] == [command_id]


@pytest.mark.parametrize("handed", [True, False])
def test_what_was_handed_out_in_time_is_waited_for(runtime: Runtime, world: World, handed: bool) -> None:
    """Until `answer_by`; what nobody has fetched by its deadline is over then."""
    command_id = write(runtime, world.party["M1"], "trial", "trial", once=True, in_s=5, answer_in_s=15)
    if handed:
        world.partner["M1"].poll()
    for overdue in (False, True) if handed else (True,):
        run(runtime, "UPDATE command SET deadline = deadline - interval '8 s', answer_by = answer_by - interval '8 s'")
        with runtime.work() as work:
            assert service.expire(work) == overdue
        if not overdue:
            assert world.partner["M1"].poll() == []
    assert world.partner["M1"].answer(command_id)["accepted"] == []


def test_a_command_can_be_taken_back(runtime: Runtime, world: World) -> None:
    kept, handed = write(runtime, world.party["H1"]), None
    with runtime.work() as work:
        assert service.withdraw(work, UUID(kept)) is True
        assert service.withdraw(work, UUID(kept)) is False
    assert world.partner["H1"].poll() == []
    handed = write(runtime, world.party["H1"])
    world.partner["H1"].poll()
    with runtime.work() as work:
        assert service.withdraw(work, UUID(handed)) is True
    assert world.partner["H1"].answer(handed)["accepted"] == []


def test_a_command_that_is_rolled_back_was_never_there(runtime: Runtime, world: World) -> None:
    with pytest.raises(RuntimeError), runtime.work() as work:
        service.command(work, world.party["H1"], "register", {}, lane="registration", subject=None)
        raise RuntimeError
    assert world.partner["H1"].poll() == []


def test_what_waits_too_long_is_seen(runtime: Runtime, world: World) -> None:
    def late(code: str | None = None) -> list[str]:
        before, party_id = runtime.clock.now() - timedelta(minutes=5), world.party[code] if code else None
        with runtime.read() as session:
            return [str(one.id) for one in queries.late_commands(session, before, PageQuery(), party_id)[0]]

    command_id = write(runtime, world.party["H1"])
    assert late() == []
    run(runtime, "UPDATE command SET created_at = now() - interval '10 minutes'")
    assert late() == late("H1") == [command_id] and late("H2") == []


def _overdue(runtime: Runtime, world: World, **how: Any) -> str:
    """A command that was handed out and whose deadline is over."""
    command_id = write(runtime, world.party["H1"], in_s=60, **how)
    assert [one["id"] for one in world.partner["H1"].poll()] == [command_id]
    run(runtime, "UPDATE command SET deadline = now() - interval '2 seconds' WHERE id = :id", id=command_id)
    with runtime.work() as work:
        assert service.expire(work) == 1
    return command_id


@pytest.mark.parametrize("outcome", ["done", "refused"])
def test_what_the_partner_did_counts_however_late_it_says_so(runtime: Runtime, world: World, outcome: str) -> None:
    command_id = _overdue(runtime, world)
    told = "SELECT count(*) FROM task WHERE kind = 'registration.answered'"
    before = value(runtime, told)
    late = world.partner["H1"].answer(command_id, {"patient_no": "P1"}, outcome=outcome)
    assert late == {"accepted": [command_id], "ignored": []}
    with runtime.work() as work:
        answer = service.answer(work, UUID(command_id))
    assert (answer.outcome, answer.body) == (outcome, {"patient_no": "P1"})
    assert value(runtime, told) == before + 1, "the floors above hear of it"
    assert world.partner["H1"].answer(command_id, outcome="done")["accepted"] == [], "once"


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_a_late_answer_that_says_nothing_is_nothing(runtime: Runtime, world: World, outcome: str) -> None:
    command_id = _overdue(runtime, world)
    assert world.partner["H1"].answer(command_id, outcome=outcome)["accepted"] == []


def test_the_late_answer_to_a_command_of_once_is_ignored(runtime: Runtime, world: World) -> None:
    command_id = _overdue(runtime, world, once=True)
    assert world.partner["H1"].answer(command_id)["accepted"] == []


def test_what_was_asked_can_be_asked_again(runtime: Runtime, world: World) -> None:
    subject = uuid4()
    with runtime.work() as work:
        asked = service.command(work, world.party["H1"], "register", {"n": 1}, lane="registration", subject=subject)
    with runtime.work() as work:
        assert service.asked_bodies(work, [asked, uuid4()]) == {subject: {"n": 1}}
    assert value(runtime, "SELECT count(*) FROM audit_entry WHERE action = 'read.command.body_sealed'") == 1


def test_nothing_leaves_an_end_but_by_a_late_answer(runtime: Runtime) -> None:
    ends = {"answered", "overdue", "withdrawn"}
    assert {(state.value, event) for state, event in commands.table if state in ends} == {("overdue", "answer_late")}
