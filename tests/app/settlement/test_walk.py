"""From the line to synchronised, and every way in which money that moved goes back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import LostRace
from app.settlement.models import Settlement
from app.settlement.parts import move_part
from app.settlement.states import PART_EVENTS, PART_MOVES, Part
from tests.app.settlement.kit import SIDES, answer, answer_trials, ask, pay, settling, trial
from tests.app.town import Insured, Town, bill_rows

SETTLED = SIDES | {"setl_id": "S1"}


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def test_a_settlement_is_paid_settled_and_told_to_both(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    settlement_id = settling(town, who, bill_id)
    asked = answer(town, "settle", SETTLED)
    assert {name: asked[name] for name in SIDES} == SIDES and asked["total_fen"] == 10_000
    found = who.get(f"/settlements/{settlement_id}")
    assert (found["status"], found["insurance_part"], found["self_pay_part"]) == ("settled", "done", "done")
    notice = answer(town, "settlement_notice", at="H1")
    assert notice["bill_key"] == town.key_of(bill_id) and notice["payment_no"]
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled"
    told = answer(town, "sync_self_pay")
    assert (told["setl_id"], told["self_pay_fen"], told["payment_no"]) == ("S1", 3_000, notice["payment_no"])
    assert who.get(f"/settlements/{settlement_id}")["status"] == "synchronised"
    assert not town.dead()


def test_without_a_self_pay_part_the_insurance_settles_at_once(town: Town, who: Insured) -> None:
    sides = {"fund_fen": 9_000, "account_fen": 1_000, "self_pay_fen": 0}
    settlement_id = settling(town, who, town.bill(who, settled=False), sides)
    answer(town, "settle", sides | {"setl_id": "S2"})
    answer(town, "settlement_notice", at="H1")
    found = who.get(f"/settlements/{settlement_id}")
    assert (found["status"], found["payment_id"]) == ("synchronised", None)


def test_who_is_told_is_told_again_until_it_is_done(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", SETTLED)
    answer(town, "sync_self_pay", outcome="failed", code="busy")
    answer(town, "settlement_notice", outcome="unknown", code="no_answer", at="H1")
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled"
    town.drain_all("settlement.tell", hurry=True)
    answer(town, "settlement_notice", at="H1")
    answer(town, "sync_self_pay")
    assert who.get(f"/settlements/{settlement_id}")["status"] == "synchronised"


def refunds(town: Town) -> list[Any]:
    return [tuple(row) for row in town.rows("SELECT status, amount_fen FROM refund")]


def sent_refunds(town: Town, who: Insured) -> int:
    """How many refunds WeChat Pay has booked for this user."""
    account = str(who.account_id)
    numbers = town.rows(
        "SELECT r.out_refund_no FROM refund r JOIN payment_order o ON o.id = r.order_id WHERE o.account_id = :id",
        id=account,
    )
    kept = town.wechat.memory.load("refund")
    return sum(any(number in key for key in kept) for (number,) in numbers)


def test_paid_and_then_refused_is_refunded_exactly_once(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    settlement_id = settling(town, who, bill_id)
    answer(town, "settle", outcome="refused", code="AMOUNT", message="金额不符")
    answer(town, "query_settlement", {"found": False, "final": True})
    found = who.get(f"/settlements/{settlement_id}")
    assert found["status"] == "failed" and found["refused"]
    town.until(lambda: who.get(f"/settlements/{settlement_id}")["self_pay_part"] == "reversed")
    assert refunds(town) == [("succeeded", 3_000)]
    assert sent_refunds(town, who) == 1
    assert ask(town, who, bill_id)["id"] != settlement_id


def test_an_unknown_settlement_is_asked_for_before_it_is_repeated(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    first = answer(town, "settle", outcome="unknown", code="interface_no_answer")
    assert who.get(f"/settlements/{settlement_id}")["insurance_part"] == "unknown"
    assert not town.commands("M1", "settlement")
    town.drain_all("settlement.query", hurry=True)
    answer(town, "query_settlement", outcome="failed", code="busy")
    town.drain_all("settlement.query", hurry=True)
    answer(town, "query_settlement", {"found": False})
    again = answer(town, "settle", SETTLED)
    assert again == first
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled"


@pytest.mark.parametrize(
    ("known", "status", "part"),
    [
        (SETTLED | {"found": True, "state": "settled"}, "settled", "done"),
        (SETTLED | {"found": True, "state": "reversed"}, "failed", "reversed"),
        ({"found": True, "state": "settled"}, "settling", "unknown"),
        ({}, "settling", "unknown"),
    ],
)
def test_what_a_query_finds_counts(town: Town, who: Insured, known: dict[str, Any], status: str, part: str) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="unknown", code="interface_504")
    town.drain_all("settlement.query", hurry=True)
    answer(town, "query_settlement", known)
    found = who.get(f"/settlements/{settlement_id}")
    assert (found["status"], found["insurance_part"]) == (status, part)


def test_amounts_that_differ_from_the_trial_are_reversed_and_refunded(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", SETTLED | {"fund_fen": 5_000, "account_fen": 2_000})
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settling"
    answer(town, "reverse", outcome="failed", code="interface_unreachable")
    town.drain_all("settlement.reverse", hurry=True)
    asked = answer(town, "reverse")
    assert asked["setl_id"] == "S1"
    found = who.get(f"/settlements/{settlement_id}")
    assert (found["status"], found["insurance_part"]) == ("reversed", "reversed")
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


def test_a_bill_settled_at_the_counter_meanwhile_takes_both_halves_back(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", SETTLED)
    answer(town, "settlement_notice", outcome="refused", code="already_settled", at="H1")
    answer(town, "reverse")
    town.drain_all("settlement.told")
    assert who.get(f"/settlements/{settlement_id}")["status"] == "reversed"
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


def test_an_answer_that_does_not_say_what_was_settled_is_unknown(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", {"setl_id": "S1", "fund_fen": "much"})
    assert who.get(f"/settlements/{settlement_id}")["insurance_part"] == "unknown"


def test_nobody_pays_and_nothing_is_settled(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    found_id = trial(town, who, bill_id)
    who.post("/settlements", {"trial_id": found_id})
    town.drain_all("payment.prepay")
    town.rows("UPDATE payment_order SET expires_at = now() - interval '1 minute'")
    town.drain_all("payment.look", hurry=True)
    town.drain_all()
    found = who.get(f"/settlements/{found_id}")
    assert (found["status"], found["self_pay_part"], found["insurance_part"]) == ("failed", "none", "none")
    assert not town.commands("M1", "settlement")
    assert ask(town, who, bill_id)["status"] == "trial_waiting"


def test_payment_told_before_twice_or_never(town: Town, who: Insured) -> None:
    """A notification is one of three ways to learn of a payment, and one payment settles once."""
    bill_id = town.bill(who, settled=False)
    found_id = trial(town, who, bill_id)
    who.post("/settlements", {"trial_id": found_id})
    town.drain_all("payment.prepay")
    pay(town, who, who.get(f"/settlements/{found_id}")["payment_id"])
    town.rows("INSERT INTO task (kind, subject, args) SELECT 'settlement.self_paid', id,"
              " jsonb_build_object('purpose', purpose, 'subject', subject) FROM payment_order")  # fmt: skip
    town.drain_all("payment.look", hurry=True)
    town.drain_all()
    assert [one["kind"] for one in town.commands("M1", "settlement")] == ["settle"]


def test_a_row_changed_behind_the_programs_back_moves_no_money(town: Town, who: Insured) -> None:
    found_id = trial(town, who, town.bill(who, settled=False), SIDES | {"self_pay_fen": 0, "fund_fen": 9_000})
    town.rows("UPDATE settlement SET fund_fen = 8000, account_fen = 2000 WHERE id = :id", id=found_id)
    assert who.post("/settlements", {"trial_id": found_id}).status_code == 409
    assert not town.commands("M1", "settlement")


def test_settling_twice_settles_once(town: Town, who: Insured) -> None:
    found_id = trial(town, who, town.bill(who, settled=False))
    assert who.post("/settlements", {"trial_id": found_id}).status_code == 201
    again = who.post("/settlements", {"trial_id": found_id})
    assert (again.status_code, again.get_json()["code"]) == (409, "state_changed")
    assert town.value("SELECT count(*) FROM payment_order") == 1


def test_a_trial_that_is_too_old_or_of_another_bill_is_made_again(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    found_id = trial(town, who, bill_id)
    town.rows("UPDATE settlement SET valid_until = now() - interval '1 second'")
    refused = who.post("/settlements", {"trial_id": found_id})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "trial_expired")
    newer = ask(town, who, bill_id)
    assert newer["id"] != found_id and who.get(f"/trials/{found_id}")["status"] == "failed"
    town.drain_all("settlement.admit")
    answer_trials(town, SIDES)
    town.rows("UPDATE bill SET total_fen = 9000 WHERE id = :id", id=bill_id)
    refused = who.post("/settlements", {"trial_id": newer["id"]}).get_json()
    assert refused["code"] == "bill_changed" and "变化" in refused["message"] and "过期" not in refused["message"]


def test_a_trial_can_be_paid_while_it_is_valid_and_no_longer(town: Town, who: Insured) -> None:
    found_id = trial(town, who, town.bill(who, settled=False))
    town.rows("UPDATE settlement SET valid_until = now() + interval '30 seconds'")
    assert who.post("/settlements", {"trial_id": found_id}).get_json()["code"] == "trial_expired"
    town.rows("UPDATE settlement SET valid_until = now() + interval '5 minutes'")
    assert who.post("/settlements", {"trial_id": found_id}).status_code == 201
    assert town.value("SELECT o.expires_at = s.valid_until FROM payment_order o, settlement s")


def test_a_bill_that_changes_while_it_is_paid_is_not_taken_to_the_insurance(town: Town, who: Insured) -> None:
    found_id = trial(town, who, town.bill(who, settled=False))
    who.post("/settlements", {"trial_id": found_id})
    town.drain_all("payment.prepay")
    town.rows("UPDATE bill SET state = 'settled'")
    pay(town, who, who.get(f"/settlements/{found_id}")["payment_id"])
    assert not town.commands("M1", "settlement")
    found = who.get(f"/settlements/{found_id}")
    assert (found["status"], found["insurance_part"]) == ("failed", "none") and "变化" in found["refused"]
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


def change_a_class(town: Town, who: Insured, bill_id: UUID) -> None:
    """The hospital corrects a line: another class, the same amount."""
    rows = bill_rows(town.key_of(bill_id), who.patient_no, settled=False, version=2)
    rows[-1]["data"]["insurance_class"] = "丙"
    town.push(rows)


def test_a_trial_of_other_lines_is_not_settled(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    found_id = trial(town, who, bill_id)
    change_a_class(town, who, bill_id)
    refused = who.post("/settlements", {"trial_id": found_id})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "bill_changed")
    newer = ask(town, who, bill_id)
    assert newer["id"] != found_id and who.get(f"/trials/{found_id}")["status"] == "failed"


def test_the_same_lines_again_are_no_change(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    found_id = trial(town, who, bill_id)
    town.push(bill_rows(town.key_of(bill_id), who.patient_no, settled=False, version=2))
    assert who.post("/settlements", {"trial_id": found_id}).status_code == 201


def test_lines_that_change_while_they_are_paid_are_not_taken_to_the_insurance(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    found_id = trial(town, who, bill_id)
    who.post("/settlements", {"trial_id": found_id})
    town.drain_all("payment.prepay")
    change_a_class(town, who, bill_id)
    pay(town, who, who.get(f"/settlements/{found_id}")["payment_id"])
    assert not town.commands("M1", "settlement")
    found = who.get(f"/settlements/{found_id}")
    assert (found["status"], found["insurance_part"]) == ("failed", "none") and "变化" in found["refused"]
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


def test_lines_that_change_after_a_doubt_are_not_settled_again(town: Town, who: Insured) -> None:
    bill_id = town.bill(who, settled=False)
    settlement_id = settling(town, who, bill_id)
    answer(town, "settle", outcome="unknown", code="interface_no_answer")
    change_a_class(town, who, bill_id)
    town.drain_all("settlement.query", hurry=True)
    assert answer(town, "query_settlement", {"found": False, "final": True})["final"] is True
    found = who.get(f"/settlements/{settlement_id}")
    assert found["status"] == "failed" and "变化" in found["refused"]


def test_a_refusal_after_a_doubt_is_no_proof(town: Town, who: Insured) -> None:
    """The first 2207 was done late, so that a query did not see it yet and the second is refused."""
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="unknown", code="interface_no_answer")
    town.drain_all("settlement.query", hurry=True)
    answer(town, "query_settlement", {"found": False})
    answer(town, "settle", outcome="refused", code="SETTLED")
    assert who.get(f"/settlements/{settlement_id}")["insurance_part"] == "unknown"
    answer(town, "query_settlement", SETTLED | {"found": True, "state": "settled"})
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled" and not refunds(town)


def test_a_refusal_after_a_doubt_is_final_once_nothing_is_there(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="unknown", code="interface_no_answer")
    town.drain_all("settlement.query", hurry=True)
    answer(town, "query_settlement", {"found": False})
    answer(town, "settle", outcome="refused", code="AMOUNT")
    answer(town, "query_settlement", {"found": False, "final": True})
    assert who.get(f"/settlements/{settlement_id}")["status"] == "failed"
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


@pytest.mark.parametrize("part", list(Part))
@pytest.mark.parametrize("event", sorted(PART_EVENTS))
def test_a_part_moves_by_its_table(part: Part, event: str) -> None:
    facts: list[Any] = []
    row = Settlement(insurance_part=part.value)
    work: Any = SimpleNamespace(audit=lambda *_, **said: facts.append(said))
    if (part, event) in PART_MOVES:
        move_part(work, row, "insurance_part", event)
        assert row.insurance_part == PART_MOVES[part, event]
        assert facts == [{"before": part.value, "after": row.insurance_part}]
    else:
        with pytest.raises(LostRace):
            move_part(work, row, "insurance_part", event)
        assert row.insurance_part == part and not facts


def test_another_person_of_nobodys_sees_nothing(town: Town, who: Insured) -> None:
    found_id = trial(town, who, town.bill(who, settled=False))
    stranger = town.insured("李四")
    assert stranger.patient.get(f"/trials/{found_id}").status_code == 404
    assert stranger.post("/settlements", {"trial_id": found_id}).status_code == 404
