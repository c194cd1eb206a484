"""Every way in which a party's book comes, comes wrong, or does not come: that part is blocked, the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import Conflict, Invalid, NotFound
from app.exchange.service import NewParty, put_partner, put_party
from mock_partners.faults import Fault
from tests.app.kit import run, value
from tests.app.partner import PartnerClient, batch
from tests.app.reconciliation.kit import DAY, UP_TO_THE_REPORT, Night, number


def _parties(seen: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {party["code"]: (party["status"], party["blocked_code"]) for party in seen["parties"]}


def _settings(night: Night, code: str, **values: Any) -> None:
    for name, wanted in values.items():
        setattr(night.insurers[code].book.settings, name, wanted)


@pytest.fixture
def two(night: Night) -> Night:
    """Rows of H1 with I1 and of H2 with I2."""
    night.book(range(1, 4))
    night.book(range(4, 6), "H2", "I2")
    return night


@pytest.mark.parametrize(
    ("fault", "code"),
    [("no_trailer", "no_trailer"), ("count", "declared"), ("amount", "declared"), ("sha256", "declared")],
)
def test_a_file_that_does_not_fit_its_trailer_blocks_that_insurer_alone(two: Night, fault: str, code: str) -> None:
    _settings(two, "I1", ledger_fault=fault)
    seen = two.run()
    assert seen["status"] == "blocked"
    assert _parties(seen)["I1"] == ("blocked", code)
    assert _parties(seen)["I2"] == ("arrived", None)
    assert (seen["sets"]["111"], seen["differences_total"]) == (2, 0), "never: all failed"


def test_a_book_that_is_not_ready_is_asked_for_again_and_then_blocked(two: Night) -> None:
    _settings(two, "I1", ledger_not_ready=[DAY.isoformat()])
    run_id = two.start()
    two.serve()
    two.drain_all(*UP_TO_THE_REPORT)
    assert two.seen(run_id)["status"] == "collecting"
    run(two.runtime, "UPDATE reconciliation_run SET collect_until = now()")
    two.drain_all(*UP_TO_THE_REPORT, hurry=True)
    seen = two.seen(run_id)
    assert (seen["status"], _parties(seen)["I1"]) == ("blocked", ("blocked", "ledger_not_ready"))
    assert seen["parties"][2]["blocked_reason"] == "对方的账目文件尚未生成"


def test_a_book_that_is_ready_later_is_taken_then(two: Night) -> None:
    _settings(two, "I1", ledger_not_ready=[DAY.isoformat()])
    run_id = two.start()
    two.serve()
    two.drain_all(*UP_TO_THE_REPORT)
    _settings(two, "I1", ledger_not_ready=[])
    two.drain_all(*UP_TO_THE_REPORT, hurry=True)
    assert two.seen(run_id)["status"] == "balanced"


def test_an_insurer_that_answers_with_an_error_is_asked_again(two: Night) -> None:
    two.insurers["I1"].faults.append(Fault(path="/v1/ledger", status=503, times=2))
    run_id = two.start()
    two.serve()
    for _ in range(3):
        two.drain_all(*UP_TO_THE_REPORT, hurry=True)
    assert two.seen(run_id)["status"] == "balanced"


def test_an_insurer_without_an_address_is_blocked(two: Night) -> None:
    with two.runtime.work() as work:
        put_party(work, NewParty("insurer", "I9", "I9"))
    seen = two.run()
    assert _parties(seen)["I9"] == ("blocked", "no_endpoint")
    assert seen["sets"]["111"] == 5


def test_a_hospital_that_never_answers_is_blocked_at_the_deadline(two: Night) -> None:
    run_id = two.start()
    two.serve("H1")
    two.drain_all(*UP_TO_THE_REPORT)
    assert two.seen(run_id)["status"] == "collecting"
    two.drain_all(*UP_TO_THE_REPORT, "reconciliation.deadline", hurry=True)
    seen = two.seen(run_id)
    assert (seen["status"], _parties(seen)["H2"]) == ("blocked", ("blocked", "not_arrived"))
    assert (seen["sets"]["111"], seen["sets"]["011"]) == (3, 0), "what has not come is not missing"


def test_nobody_s_book_is_not_run_and_not_all_failed(night: Night) -> None:
    night.book(range(1, 4))
    run_id = night.start()
    night.drain_all(*UP_TO_THE_REPORT)
    night.drain_all(*UP_TO_THE_REPORT, "reconciliation.deadline", hurry=True)
    seen = night.seen(run_id)
    assert (seen["status"], seen["differences_total"]) == ("blocked", 0)
    assert seen["totals"]["three_party"]["count"] == 0


@pytest.mark.parametrize(("outcome", "code"), [("refused", "refused"), ("unknown", "not_answered")])
def test_a_hospital_that_refuses_is_blocked(two: Night, outcome: str, code: str) -> None:
    run_id = two.start()
    agent = two.world.partner["H2"]
    agent.answer(agent.poll(lanes=["ledger"])[0]["id"], outcome=outcome, code="closed")
    two.serve("H1")
    two.drain_all(*UP_TO_THE_REPORT)
    assert _parties(two.seen(run_id))["H2"] == ("blocked", code)


def test_a_hospital_that_fails_for_the_moment_is_asked_again(two: Night) -> None:
    run_id = two.start()
    agent = two.world.partner["H2"]
    agent.answer(agent.poll(lanes=["ledger"])[0]["id"], outcome="failed", code="his_down")
    two.serve("H1")
    two.drain_all(*UP_TO_THE_REPORT)
    two.drain_all("reconciliation.ask", hurry=True)
    two.serve("H2")
    two.drain_all(*UP_TO_THE_REPORT)
    assert two.seen(run_id)["status"] == "balanced"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"count": 3}, "declared"),
        ({"amount_fen": 901}, "declared"),
        ({"count": "2"}, "malformed_answer"),
        ({"count": 2**40}, "malformed_answer"),
        ({"amount_fen": -900}, "malformed_answer"),
        ({"batch_no": None}, "malformed_answer"),
        ({"batch_nos": 1}, "malformed_answer"),
        ({"batch_nos": ["1"]}, "malformed_answer"),
    ],
)
def test_an_answer_that_does_not_fit_its_batches_blocks_the_hospital(
    night: Night, wrong: dict[str, Any], code: str
) -> None:
    night.book(range(4, 6), "H2", at="H")
    run_id = night.start()
    agent = night.world.partner["H2"]
    agent.answer(agent.poll(lanes=["ledger"])[0]["id"], night.push("H2") | wrong)
    night.drain_all("reconciliation.take_batch", "reconciliation.answered")
    assert _parties(night.seen(run_id))["H2"] == ("blocked", code)


@pytest.mark.parametrize("order", [("answered", "take_batch"), ("take_batch", "answered")])
def test_a_book_in_several_batches_is_whole_with_the_last_one(night: Night, order: tuple[str, str]) -> None:
    night.book(range(1, 6))
    rows = list(night.hospitals["H1"][DAY].items())
    run_id = night.start()
    agent = night.world.partner["H1"]
    (command,) = agent.poll(lanes=["ledger"])
    for batch_no, part in ((1, rows[:3]), (2, rows[3:])):
        sent = [{"type": "ledger", "key": key, "version": 1, "data": row} for key, row in part]
        agent.ok("/batches", batch(batch_no, "ledger", sent, business_date=DAY.isoformat()))
    body = {"batch_no": 2, "batch_nos": [1, 2], "count": 5, "amount_fen": 1500, "bad": 1}
    agent.answer(command["id"], body)
    night.serve("H2")
    for step in order:
        night.drain_all(f"reconciliation.{step}")
    night.drain_all(*UP_TO_THE_REPORT)
    seen = night.seen(run_id)
    assert (seen["status"], seen["sets"]["111"]) == ("balanced", 5)
    assert seen["parties"][0]["bad_at_source"] == 1


def test_each_program_of_a_hospital_counts_its_own_batches(night: Night) -> None:
    night.book(range(1, 4))
    night.run()
    secret = "whsec_" + "c2Vjb25k" * 4
    with night.runtime.work() as work:
        put_partner(work, night.world.party["H1"], "H1-spare", secret)
    night.world.partner["H1"] = PartnerClient(night.client, "H1-spare", secret)
    night.batch_nos["H1"] = 0
    assert night.run()["status"] == "balanced"
    assert value(night.runtime, "SELECT count(*) FROM task WHERE status = 'dead'") == 0
    assert value(night.runtime, "SELECT count(*) FROM reconciliation_ledger_batch WHERE batch_no = 1") == 3


def test_a_batch_of_another_date_does_not_pass_for_the_day_s_book(night: Night) -> None:
    night.book(range(1, 3))
    run_id = night.start()
    agent = night.world.partner["H1"]
    (command,) = agent.poll(lanes=["ledger"])
    agent.ok("/batches", batch(1, "ledger", [], business_date="2026-11-19"))
    agent.answer(command["id"], {"batch_no": 1, "count": 0, "amount_fen": 0})
    night.serve("H2")
    night.drain_all(*UP_TO_THE_REPORT)
    assert _parties(night.seen(run_id))["H1"] == ("blocked", "declared")


def test_an_empty_book_is_a_book(night: Night) -> None:
    seen = night.run()
    assert (seen["status"], seen["totals"]["three_party"]["count"]) == ("balanced", 0)


def test_a_blocked_part_that_comes_later_is_compared_by_the_rerun_and_keeps_old_differences(two: Night) -> None:
    two.drop_insurer("I1", number(1))
    two.run()
    _settings(two, "I1", ledger_fault="count")
    two.run()
    kept = two.differences()["presence", number(1)]
    assert (kept.status, kept.note) == ("suspended", None), "nobody has looked"
    _settings(two, "I1", ledger_fault="")
    two.insurer_row("I1", number(1), 100)
    assert two.run()["status"] == "balanced"
    assert two.differences()["presence", number(1)].status == "cleared"


def test_a_running_night_is_given_back_and_another_scope_waits(night: Night) -> None:
    first = night.start()
    assert night.start() == first
    with pytest.raises(Conflict, match="run_in_progress"):
        night.start(hospital="H1")
    assert value(night.runtime, "SELECT count(*) FROM command WHERE kind = 'collect_ledger'") == 2


def test_a_run_that_has_lost_its_task_does_not_stand_in_the_way(night: Night) -> None:
    lost = night.start()
    run(night.runtime, "UPDATE reconciliation_run SET collect_until = now() - interval '2 hours'")
    assert night.run()["attempt"] == 2
    assert night.seen(lost)["status"] == "blocked"


def test_what_cannot_be_run_is_refused(night: Night) -> None:
    with pytest.raises(Invalid, match="date_in_future"):
        night.start(DAY.replace(year=2027))
    with pytest.raises(Invalid, match="date_too_early"):
        night.start(DAY.replace(year=1))
    with pytest.raises(NotFound):
        night.start(hospital="H7")
    with pytest.raises(Invalid, match="hospital_unknown"):
        night.start(hospital="I1")


def test_one_hospital_s_run_leaves_the_others_alone(two: Night) -> None:
    two.drop_insurer("I2", number(4))
    two.drop_insurer("I1", number(1))
    two.insurer_row("I2", number(200), 5)
    two.run()
    two.insurer_row("I1", number(1), 100)
    two.insurer_row("I2", number(4), 400)
    run_id = two.start(hospital="H1")
    two.serve("H1")
    two.drain_all(*UP_TO_THE_REPORT)
    seen = two.seen(run_id)
    assert (seen["status"], seen["hospital"], seen["sets"]["111"], seen["sets"]["001"]) == ("balanced", "H1", 3, 0)
    states = {key: row.status for key, row in two.differences().items()}
    assert states == {
        ("presence", number(1)): "cleared",
        ("presence", number(4)): "suspended",
        ("presence", number(200)): "suspended",
    }
