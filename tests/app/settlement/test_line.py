"""The interface's line: order, one place for a bill, slots, and what each answer does to the place and to the slot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.tasks import Job
from app.settlement import admission, calls, rules
from app.settlement.states import State, settlements
from tests.app.kit import Thread
from tests.app.settlement.kit import SIDES, answer_trials, ask
from tests.app.town import Insured, Town


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def limit(town: Town, n: int, window_s: float = 60) -> None:
    town.rows("UPDATE party SET config = jsonb_build_object('n', CAST(:n AS int), 'window_s', CAST(:s AS float))"
              " WHERE code = 'M1'", n=n, s=window_s)  # fmt: skip


def held(town: Town) -> int:
    """Slots that are not free now."""
    return int(town.value("SELECT count(*) FROM quota_slot WHERE free_at > clock_timestamp()"))


def waits_s(town: Town) -> float:
    """Until the last slot is free."""
    return float(town.value("SELECT extract(epoch FROM max(free_at) - clock_timestamp()) FROM quota_slot"))


def test_who_came_first_is_admitted_first_and_the_others_see_their_place(town: Town, who: Insured) -> None:
    limit(town, 2)
    people = [who, *(town.insured() for _ in range(3))]
    asked = [ask(town, one, town.bill(one, settled=False)) for one in people]
    assert [one["place"] for one in asked] == [1, 2, 3, 4]
    town.drain_all("settlement.admit")
    found = [one.get(f"/trials/{place['id']}") for one, place in zip(people, asked, strict=True)]
    assert [(one["status"], one["place"]) for one in found] == [
        ("trialling", None), ("trialling", None), ("trial_waiting", 3), ("trial_waiting", 4)]  # fmt: skip
    assert found[2]["expected_at"] <= found[3]["expected_at"]
    handed = [one["body"]["trial_no"] for one in answer_trials(town, SIDES)]
    in_line = town.rows("SELECT trial_no FROM settlement WHERE status = 'trialled' ORDER BY line_no")
    assert handed == [row.trial_no for row in in_line]
    assert town.value("SELECT count(*) FROM settlement WHERE throttled") == 2


def test_a_crowd_is_admitted_a_few_at_a_time_and_in_order(
    town: Town, who: Insured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ADMITTED_AT_ONCE", 2)
    limit(town, 4)
    for one in (who, *(town.insured() for _ in range(4))):
        ask(town, one, town.bill(one, settled=False))
    town.drain_all("settlement.admit")
    statuses = town.rows("SELECT status, throttled FROM settlement ORDER BY line_no")
    assert [tuple(row) for row in statuses] == [*[("trialling", False)] * 4, ("trial_waiting", True)]
    handed = [one["body"]["trial_no"] for one in answer_trials(town, SIDES)]
    in_line = town.rows("SELECT trial_no FROM settlement WHERE status = 'trialled' ORDER BY line_no")
    assert handed == [row.trial_no for row in in_line]


def test_somebody_who_cannot_be_read_holds_up_nobody(town: Town, who: Insured) -> None:
    limit(town, 1)
    people = [who, town.insured()]
    asked = [ask(town, one, town.bill(one, settled=False)) for one in people]
    town.rows("UPDATE person SET name_sealed = phone_sealed WHERE id = (SELECT person_id FROM settlement"
              " ORDER BY line_no LIMIT 1)")  # fmt: skip
    town.drain_all("settlement.admit")
    found = [one.get(f"/trials/{place['id']}") for one, place in zip(people, asked, strict=True)]
    assert [one["status"] for one in found] == ["failed", "trialling"]
    assert found[0]["refused"] == rules.REFUSALS["person_unreadable"]
    assert not town.value("SELECT count(*) FROM task WHERE status = 'dead'")


def test_a_line_whose_task_was_lost_is_found_by_the_sweep(town: Town, who: Insured) -> None:
    asked = ask(town, who, town.bill(who, settled=False))
    town.rows("DELETE FROM task WHERE kind = 'settlement.admit'")
    with town.runtime.work() as work:
        work.later("settlement.sweep", None)
    town.drain_all("settlement.sweep", "settlement.admit")
    assert who.get(f"/trials/{asked['id']}")["status"] == "trialling"


def test_waiting_at_one_interface_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = uuid4(), uuid4()
    free_in_s = {near: iter([0.05, None]), far: iter([0.0, 0.0, None])}
    seen: list[UUID] = []

    def admit_some(_: object, interface_id: UUID, *, may_stay: bool) -> float | None:
        seen.append(interface_id)
        return next(free_in_s[interface_id])

    monkeypatch.setattr(calls, "_admit_some", admit_some)
    jobs = [Job(number, "settlement.admit", one, {}, 1, 1) for number, one in enumerate((near, far))]
    calls.admit(None, None, jobs)  # type: ignore[arg-type]
    assert sorted(seen[:2]) == sorted([near, far])
    assert seen.count(far) == 3 and seen.count(near) == 2


def test_a_bill_has_one_live_place_however_often_it_is_asked(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    threads = [Thread(lambda: ask(town, who, bill_id)["id"]) for _ in range(4)]
    assert len({thread.result() for thread in threads}) == 1
    assert town.value("SELECT count(*) FROM settlement") == 1


def test_without_waiting_the_limited_are_told_when_to_come_again(town: Town, who: Insured) -> None:
    limit(town, 1, 30)
    other = town.insured()
    first, second = town.bill(who, settled=False), town.bill(other, settled=False)
    assert ask(town, who, first, wait=False)["status"] == "trialling"
    for _ in range(2):
        refused = other.post("/trials", {"bill_id": str(second), "wait": False})
        assert (refused.status_code, refused.get_json()["code"]) == (429, "trial_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        town.drain_all("settlement.admit")
    assert town.value("SELECT count(*) FROM settlement") == 1
    assert ask(town, who, first, wait=False)["status"] == "trialling"
    assert ask(town, other, second)["status"] == "trial_waiting"


def test_whoever_would_not_wait_waits_for_no_lock_to_be_refused(town: Town, who: Insured) -> None:
    limit(town, 1)
    other = town.insured()
    assert ask(town, who, town.bill(who, settled=False), wait=False)["status"] == "trialling"
    body = {"bill_id": str(town.bill(other, settled=False)), "wait": False}
    with town.runtime.work() as work:
        admission.lock(work, town.rows("SELECT id FROM party WHERE code = 'M1'")[0].id)
        assert Thread(lambda: other.post("/trials", body)).result().status_code == 429


def test_a_time_that_is_shown_never_lies_in_the_past(town: Town, who: Insured) -> None:
    """The slot is free, and nobody has admitted yet."""
    asked = ask(town, who, town.bill(who, settled=False))
    town.rows("UPDATE settlement SET promised_at = promised_at - interval '4 seconds'")
    before = town.runtime.clock.now()
    shown = datetime.fromisoformat(who.get(f"/trials/{asked['id']}")["expected_at"])
    assert before < shown < before + timedelta(seconds=10)


def test_a_person_has_one_place_and_may_leave_it(town: Town, who: Insured) -> None:
    limit(town, 1)
    first, second = (town.bill(who, settled=False) for _ in range(2))
    place = ask(town, who, first)
    assert ask(town, who, first)["id"] == place["id"]
    refused = who.post("/trials", {"bill_id": str(second)})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "in_line")
    stranger = town.insured()
    assert stranger.post(f"/trials/{place['id']}/leave").status_code == 404
    behind = ask(town, stranger, town.bill(stranger, settled=False))
    assert behind["place"] == 2
    left = who.post(f"/trials/{place['id']}/leave").get_json()
    assert (left["status"], left["refused_code"], left["refused"]) == ("failed", "left", "您已退出排队")
    now = stranger.get(f"/trials/{behind['id']}")
    assert now["place"] == 1 and now["expected_at"] <= behind["expected_at"]
    assert ask(town, who, second)["place"] == 2
    town.drain_all("settlement.admit")
    refused = stranger.post(f"/trials/{behind['id']}/leave")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "state_changed")


def test_only_the_registered_may_ask_and_only_for_open_bills(town: Town, who: Insured) -> None:
    open_bill, settled = town.bill(who, settled=False), town.bill(who)
    refused = who.post("/trials", {"bill_id": str(settled)})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "bill_settled")
    town.rows("INSERT INTO registration (id, hospital_id, line_no, no, person_id, account_id, appointment_id,"
              " appointment_no, status, tries) SELECT gen_random_uuid(), b.hospital_id, 1, 'rg1', :person, :account,"
              " gen_random_uuid(), 'ap1', 'queued', 0 FROM bill b LIMIT 1",
              person=who.person_id, account=who.account_id)  # fmt: skip
    refused = who.post("/trials", {"bill_id": str(open_bill)})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "not_registered")
    town.rows("UPDATE registration SET status = 'registered', left_at = now()")
    assert ask(town, who, open_bill)["place"] == 1
    town.rows("UPDATE bill SET refused_reason = 'lines_do_not_add_up' WHERE id = :id", id=open_bill)
    refused = who.post("/trials", {"bill_id": str(open_bill)})
    assert refused.get_json()["code"] == "bill_refused"


def test_without_a_card_nobody_enters_the_line(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    town.rows("UPDATE person SET medical_card_no_sealed = NULL, medical_card_index = NULL")
    refused = who.post("/trials", {"bill_id": str(bill_id)})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "medical_card_required")
    assert town.value("SELECT count(*) FROM settlement") == 0
    assert ask(town, who, bill_id, medical_card_no="M12345678")["place"] == 1


@pytest.mark.parametrize(
    "cut", ["UPDATE party SET config = config || '{\"interface\": \"M9\"}' WHERE code = 'H1'",
            "UPDATE party SET kind = 'insurer' WHERE code = 'M1'"],
)  # fmt: skip
def test_a_hospital_without_an_interface_says_so(town: Town, who: Insured, cut: str) -> None:
    bill_id = town.bill(who, settled=False)
    town.rows(cut)
    refused = who.post("/trials", {"bill_id": str(bill_id)})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "no_interface")


def test_a_bill_that_is_settled_while_it_waits_leaves_the_line(town: Town, who: Insured) -> None:
    asked = ask(town, who, town.bill(who, settled=False))
    town.rows("UPDATE bill SET state = 'settled'")
    town.drain_all("settlement.admit")
    found = who.get(f"/trials/{asked['id']}")
    assert found["status"] == "failed" and found["refused"]
    assert not town.commands("M1", "trial") and held(town) == 0


@pytest.mark.parametrize("code", sorted(rules.NOT_SENT - {"not_handed_out"}))
def test_a_request_that_never_left_keeps_the_place_and_frees_its_slot(town: Town, who: Insured, code: str) -> None:
    asked = ask(town, who, town.bill(who, settled=False))
    town.drain_all("settlement.admit")
    [first] = answer_trials(town, {}, outcome="unknown", code=code)
    assert held(town) == 0
    assert who.get(f"/trials/{asked['id']}")["place"] == 1
    town.drain_all("settlement.admit", hurry=True)
    [again] = answer_trials(town, SIDES)
    assert again["body"]["trial_no"] != first["body"]["trial_no"]
    assert who.get(f"/trials/{asked['id']}")["status"] == "trialled"


@pytest.mark.parametrize("code", ["already_sent", "agent_restarted", "interface_no_answer", "interface_504", None])
def test_a_request_that_may_have_left_keeps_its_slot_to_the_end(town: Town, who: Insured, code: str | None) -> None:
    limit(town, 3, 6)
    asked = ask(town, who, town.bill(who, settled=False))
    town.drain_all("settlement.admit")
    [first] = answer_trials(town, {}, outcome="unknown", code=code)
    town.drain_all("settlement.admit")
    assert held(town) == 2, "the lost one and the new one"
    [again] = answer_trials(town, SIDES)
    assert again["body"]["trial_no"] != first["body"]["trial_no"]
    assert who.get(f"/trials/{asked['id']}")["status"] == "trialled"
    assert waits_s(town) > 20, "the second try's answer proves nothing about the first"


def test_a_command_that_nobody_fetched_or_answered_comes_back_by_itself(town: Town, who: Insured) -> None:
    ask(town, who, town.bill(who, settled=False))
    town.drain_all("settlement.admit")
    for fetched, left in ((False, 0), (True, 1)):
        if fetched:
            assert len(town.commands("M1", "trial")) == 1
        town.rows("UPDATE command SET deadline = now() - interval '15 seconds', answer_by = now() - interval '5 s'"
                  " WHERE status IN ('open', 'fetched') AND kind = 'trial'")  # fmt: skip
        with town.runtime.work() as work:
            work.later("exchange.overdue", None)
        town.drain_all("exchange.overdue", "settlement.trial_answered")
        assert held(town) == left
        assert town.value("SELECT status FROM settlement") == "trial_waiting"
        town.drain_all("settlement.admit", hurry=True)


def test_the_interfaces_own_limit_means_wait_again_and_is_no_failure(town: Town, who: Insured) -> None:
    asked = ask(town, who, town.bill(who, settled=False))
    town.drain_all("settlement.admit")
    answer_trials(town, {}, outcome="refused", code="RATE", message="超过频次")
    assert who.get(f"/trials/{asked['id']}")["place"] == 1
    assert held(town) == 1
    town.drain_all("settlement.admit")
    answer_trials(town, SIDES)
    assert who.get(f"/trials/{asked['id']}")["status"] == "trialled"


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ({}, {"outcome": "refused", "code": "PERSON"}),
        ({"fund_fen": 1, "account_fen": 2, "self_pay_fen": 3}, {}),
        ({"fund_fen": -1, "account_fen": 1, "self_pay_fen": 10_000}, {}),
        ({"fund_fen": "6000", "account_fen": 1_000, "self_pay_fen": 3_000}, {}),
        ({"fund_fen": 10_000}, {}),
    ],
)
def test_a_refusal_or_amounts_that_do_not_add_up_end_the_trial(
    town: Town, who: Insured, body: dict[str, Any], how: dict[str, Any]
) -> None:
    bill_id = town.bill(who, settled=False)
    asked = ask(town, who, bill_id)
    town.drain_all("settlement.admit")
    answer_trials(town, body, **how)
    found = who.get(f"/trials/{asked['id']}")
    assert found["status"] == "failed" and found["refused"] and found["fund_fen"] is None
    assert ask(town, who, bill_id)["id"] != asked["id"]


def test_an_answer_lets_the_next_in_a_window_after_the_arrival(town: Town, who: Insured) -> None:
    limit(town, 1, 5)
    for one in (who, town.insured()):
        ask(town, one, town.bill(one, settled=False))
    town.drain_all("settlement.admit")
    answer_trials(town, SIDES, took_ms=2_000)
    assert 2 < waits_s(town) < 3.2
    due = town.value("SELECT extract(epoch FROM min(run_at) - clock_timestamp()) FROM task"
                     " WHERE kind = 'settlement.admit'")  # fmt: skip
    assert due <= waits_s(town) + 0.05, "somebody looks when the slot is free"


@pytest.mark.parametrize(
    ("body", "took_s"),
    [
        ({"received_ms": 1_000, "answered_ms": 3_500}, 2.5),
        ({"received_ms": 3_500, "answered_ms": 1_000}, 0),
        ({"answered_ms": 1_700_000_000_000}, 0),
        ({"received_ms": 0, "answered_ms": 1_700_000_000_000}, 0),
        ({"received_ms": "1000", "answered_ms": "3500"}, 0),
        ({}, 0),
    ],
)
def test_only_a_believable_answer_time_shortens_the_wait(body: dict[str, Any], took_s: float) -> None:
    answered_at = datetime(2026, 11, 21, tzinfo=UTC)
    assert rules.arrived_by(answered_at, body) == answered_at - timedelta(seconds=took_s)


def test_a_step_of_the_databases_clock_is_waited_out(town: Town, who: Insured) -> None:
    limit(town, 1, 5)
    for one in (who, town.insured()):
        ask(town, one, town.bill(one, settled=False))
    town.drain_all("settlement.admit")
    answer_trials(town, SIDES)
    # As if the clock had jumped, and the worker that admits had been killed meanwhile.
    town.rows("UPDATE quota_slot SET free_at = free_at - interval '30 seconds'")
    town.rows("UPDATE clock_anchor SET least_s = least_s - 30, most_s = most_s - 30")
    town.drain_all("settlement.admit", hurry=True)
    assert not town.commands("M1", "trial")
    assert waits_s(town) > 3


def test_every_state_allows_its_events_and_no_other(town: Town, who: Insured) -> None:
    settlement_id = ask(town, who, town.bill(who, settled=False))["id"]
    for state in State:
        for event in sorted(settlements.events):
            town.rows("UPDATE settlement SET status = :state", state=state.value)
            with town.runtime.work() as work:
                moved = settlements.move(work, [UUID(settlement_id)], event, lenient=True)
            expected = settlements.table.get((state, event))
            assert [one.new for one in moved] == ([expected] if expected else []), (state, event)


def unbind(who: Insured) -> None:
    [bound] = who.get("/bindings")["bindings"]
    assert who.post(f"/bindings/{bound['id']}/revoke").status_code == 200


def test_whoever_is_not_bound_any_more_is_not_told_of_the_trial(town: Town, who: Insured) -> None:
    other = town.insured()
    asked = [ask(town, one, town.bill(one, settled=False)) for one in (who, other)]
    town.drain_all("settlement.admit")
    unbind(who)
    answer_trials(town, SIDES)
    told = [town.value("SELECT count(*) FROM notice WHERE subject = :id", id=one["id"]) for one in asked]
    assert told == [0, 1] and not town.dead()


def in_line(town: Town, asked: dict[str, Any]) -> tuple[str, str | None]:
    [row] = town.rows("SELECT status, refused_code FROM settlement WHERE id = :id", id=asked["id"])
    return row.status, row.refused_code


@pytest.mark.parametrize("followed", [True, False])
def test_a_trial_for_somebody_to_whom_nobody_is_bound_leaves_the_line(town: Town, who: Insured, followed: bool) -> None:
    """At once, or at the latest before it is sent; it takes no slot from others."""
    limit(town, 1)
    other = town.insured()
    asked, behind = (ask(town, one, town.bill(one, settled=False)) for one in (who, other))
    unbind(who)
    if followed:
        town.drain_all("settlement.unbound")
        assert in_line(town, asked) == ("failed", "left") and other.get(f"/trials/{behind['id']}")["place"] == 1
    town.drain_all("settlement.admit")
    assert in_line(town, asked) == ("failed", "left")
    assert [one["body"]["name"] for one in town.commands("M1", "trial")] == [other.name] and held(town) == 1
    assert in_line(town, behind) == ("trialling", None) and not town.dead()


def test_a_trial_goes_on_for_whoever_else_is_bound(town: Town, who: Insured) -> None:
    asked, other = ask(town, who, town.bill(who, settled=False)), town.insured()
    town.rows("INSERT INTO binding (id, account_id, hospital_id, person_id, relation, seat, document_index, name_mask,"
              " child, consented_at, expires_at, status) SELECT gen_random_uuid(), :account, hospital_id, person_id,"
              " 'spouse', 2, document_index, name_mask, child, consented_at, expires_at, 'live' FROM binding"
              " WHERE account_id = :mine", account=other.account_id, mine=who.account_id)  # fmt: skip
    unbind(who)
    town.drain_all("settlement.unbound", "settlement.admit")
    assert other.get(f"/trials/{asked['id']}")["status"] == "trialling"
