"""What the hospital takes back after the decision: unsent money stops, sent money is recovered, once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from app.claim.states import RecoveryState, recoveries
from app.payout import ledger as books
from app.payout import rules
from tests.app.claim.kit import at_the_insurer, booked, decide, lines_of, say
from tests.app.payout.kit import WECHAT, accepted, asked, balances, bank, confirm, created, send, status
from tests.app.town import Insured, Town, as_row, bill_rows, configure, e_bill_row

AFTER = ("claim.e_bills_reversed", "claim.bills_changed", "payout.bills_lost", "payout.create", "claim.tell_recovery")


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def bills_of(town: Town, claim_id: str) -> list[UUID]:
    found = "SELECT bill_id FROM claim_bill WHERE claim_id = :id AND kind = 'pay' ORDER BY ordinal"
    return [row[0] for row in town.rows(found, id=claim_id)]


def reverse(town: Town, bill_id: UUID) -> None:
    town.push([as_row(e_bill_row(town.key_of(bill_id), "reversed"), 2)])
    town.drain_all(*AFTER)


def refund(town: Town, who: Insured, bill_id: UUID) -> None:
    amounts = [row[0] for row in town.rows("SELECT amount_fen FROM fee_line WHERE bill_id = :id", id=bill_id)]
    rows = bill_rows(town.key_of(bill_id), who.patient_no, amounts, status="refunded", version=2, e_bill="")
    town.push([row for row in rows if row["type"] == "bill"])
    town.drain_all(*AFTER)


def recovery(town: Town, claim_id: str) -> dict[str, Any]:
    [row] = town.rows("SELECT id, status, recovery_no, share_fen, due_fen FROM recovery WHERE claim_id = :id",
                      id=claim_id)  # fmt: skip
    return dict(row._mapping)


def ended(town: Town, claim_id: str, outcome: str, **wrong: Any) -> dict[str, Any]:
    found = recovery(town, claim_id)
    said = {
        "claim_no": town.value("SELECT no FROM claim WHERE id = :id", id=claim_id),
        "recovery_no": found["recovery_no"],
        "outcome": outcome,
        "amount_fen": found["due_fen"],
    } | wrong
    say(town, "claim.recovery_ended", said)
    town.drain_all("payout.recovery_ended", "claim.tell_recovery")
    return said


def paid(town: Town, who: Insured, **how: Any) -> tuple[str, str]:
    claim_id, payout_id = created(town, who, **how)
    town.until(lambda: status(town, payout_id) == "succeeded")
    return claim_id, payout_id


def test_paid_and_reversed_is_recovered_and_repaid_by_the_insurers_word(town: Town, who: Insured) -> None:
    claim_id, _ = paid(town, who)
    reverse(town, bills_of(town, claim_id)[0])
    reverse(town, bills_of(town, claim_id)[0])
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"], found["payable_fen"]) == ("closed", 10_000, 0)
    assert [(one["status"], one["due_fen"]) for one in found["recoveries"]] == [("open", 10_000)]
    assert "100.00" in found["recoveries"][0]["in_words"]
    steps = [(step["status"], step["holder"]) for step in found["timeline"]]
    assert ("recovery_open", "insurer") in steps and ("recovery_waiting", "platform") in steps
    assert balances(town, claim_id) == {"bank": -10_000, "receivable": 10_000}
    assert booked(town, claim_id) == [("pay", 10_000), ("reverse", 10_000)], "the insurer's book has the reversal"
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    told = town.insurers["I1"].book.case(no)["recoveries"][recovery(town, claim_id)["recovery_no"]]
    assert (told["status"], told["due_fen"]) == ("open", 10_000)
    said = ended(town, claim_id, "repaid")
    say(town, "claim.recovery_ended", said)
    town.drain_all("payout.recovery_ended")
    assert recovery(town, claim_id)["status"] == "repaid"
    assert balances(town, claim_id) == {"bank": -10_000, "collected": 10_000}
    notices = {row[0] for row in town.rows("SELECT template FROM notice WHERE account_id = :id", id=who.account_id)}
    assert {"recovery_opened", "recovery_ended"} <= notices and not town.dead()


def test_what_is_written_off_stays_an_expense(town: Town, who: Insured) -> None:
    claim_id, _ = paid(town, who)
    refund(town, who, bills_of(town, claim_id)[0])
    ended(town, claim_id, "written_off", amount_fen=9_999)
    assert recovery(town, claim_id)["status"] == "open", "another amount is not what we told"
    ended(town, claim_id, "written_off")
    assert (recovery(town, claim_id)["status"], balances(town, claim_id)) == (
        "written_off", {"bank": -10_000, "expense": 10_000})  # fmt: skip


def test_the_insurer_may_answer_at_once(town: Town, who: Insured) -> None:
    claim_id, _ = paid(town, who)
    configure(town.insurers["I1"], recovery_outcome="repaid")
    reverse(town, bills_of(town, claim_id)[0])
    town.until(lambda: recovery(town, claim_id)["status"] == "repaid")
    configure(town.insurers["I1"], recovery_outcome="")


@pytest.mark.parametrize("how", ["reversed", "refunded"])
def test_before_it_is_sent_the_payout_stops(town: Town, who: Insured, how: str) -> None:
    claim_id, payout_id = created(town, who)
    [bill_id] = bills_of(town, claim_id)
    reverse(town, bill_id) if how == "reversed" else refund(town, who, bill_id)
    send(town)
    assert (status(town, payout_id), asked(town, payout_id), town.status(claim_id)) == ("cancelled", 0, "closed")
    assert recovery(town, claim_id)["status"] == "void" and balances(town, claim_id) == {}
    assert "停止" in who.get(f"/payouts/{payout_id}")["failed"]


def test_a_payout_that_is_about_to_be_sent_stops_though_nobody_has_stopped_it(town: Town, who: Insured) -> None:
    """The news is written, and the task that stops payouts has not run yet."""
    claim_id, payout_id = created(town, who)
    town.push([as_row(e_bill_row(town.key_of(bills_of(town, claim_id)[0]), "reversed"), 2)])
    town.drain_all("claim.e_bills_reversed")
    send(town)
    assert (status(town, payout_id), asked(town, payout_id)) == ("cancelled", 0)
    town.drain_all(*AFTER)
    assert recovery(town, claim_id)["status"] == "void" and balances(town, claim_id) == {}


def test_accepted_and_reversed_before_a_payout_is_made_pays_nothing(town: Town, who: Insured) -> None:
    claim_id = accepted(town, who)
    reverse(town, bills_of(town, claim_id)[0])
    assert town.value("SELECT count(*) FROM payout WHERE claim_id = :id", id=claim_id) == 0
    assert (town.status(claim_id), recovery(town, claim_id)["status"]) == ("closed", "void")


def test_money_on_its_way_decides_what_must_come_back(town: Town) -> None:
    who = town.insured("钱多多")
    claim_id, payout_id = created(town, who, payee=WECHAT)
    send(town)
    reverse(town, bills_of(town, claim_id)[0])
    assert (status(town, payout_id), recovery(town, claim_id)["status"]) == ("waiting_user_confirm", "waiting")
    ended(town, claim_id, "repaid", amount_fen=10_000)
    assert recovery(town, claim_id)["status"] == "waiting", "too early a word changes nothing"
    confirm(town, who, payout_id)
    town.until(lambda: recovery(town, claim_id)["status"] == "open")
    assert recovery(town, claim_id)["due_fen"] == 10_000


def test_one_of_two_bills_is_recovered_and_the_other_stays_paid(town: Town, who: Insured) -> None:
    configure(town.insurers["I1"], delay_s=3600.0)
    town.policy(who)
    bill_ids = [town.bill(who, (6_000,)), town.bill(who, (4_000,))]
    claim_id = town.claim(who, bill_ids)
    town.drain_all("claim.assemble", "claim.verify", "claim.deliver")
    decide(town, claim_id)
    who.post(f"/claims/{claim_id}/accept")
    town.drain_all("payout.create")
    first = str(town.value("SELECT id FROM payout WHERE claim_id = :id", id=claim_id))
    lost = next(one for one in bills_of(town, claim_id) if one == bill_ids[0])
    reverse(town, lost)
    send(town)
    assert (status(town, first), recovery(town, claim_id)["status"]) == ("cancelled", "void")
    town.until(lambda: town.status(claim_id) == "paid")
    assert who.get(f"/claims/{claim_id}")["paid_fen"] == 4_000
    assert balances(town, claim_id) == {"expense": 4_000, "bank": -4_000}


def test_a_payout_that_the_bank_returns_lowers_what_must_come_back(town: Town, who: Insured) -> None:
    card = "6222029999999999992"
    body = [{"account": card, "name": who.name, "state": "returns"}]
    assert town.bank.app.test_client().post("/__mock__/cards", json=body).status_code == 201
    configure(town.bank, return_after_s=3600.0)
    claim_id, payout_id = created(town, who, payee=bank(card))
    town.until(lambda: status(town, payout_id) == "succeeded")
    reverse(town, bills_of(town, claim_id)[0])
    assert recovery(town, claim_id)["status"] == "open"
    number = town.value("SELECT out_no FROM payout WHERE id = :id", id=payout_id)
    town.agent("B1").ok("/messages", {"type": "bank.returned", "data": {"out_no": number, "reason": "returned"}})
    town.drain_all("payout.bank_returned")
    found = recovery(town, claim_id)
    assert (found["status"], found["due_fen"], balances(town, claim_id)) == ("void", 0, {})


def test_before_the_decision_the_claim_is_taken_back(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    refund(town, who, bills_of(town, claim_id)[0])
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"], found["recoveries"]) == ("withdrawn", "bill_refunded", [])


def test_another_insurer_ends_no_recovery(town: Town, who: Insured) -> None:
    claim_id, _ = paid(town, who)
    reverse(town, bills_of(town, claim_id)[0])
    found = recovery(town, claim_id)
    said = {"claim_no": town.value("SELECT no FROM claim WHERE id = :id", id=claim_id), "outcome": "repaid",
            "recovery_no": found["recovery_no"], "amount_fen": 10_000}  # fmt: skip
    say(town, "claim.recovery_ended", said, code="I2")
    town.drain_all("payout.recovery_ended")
    assert recovery(town, claim_id)["status"] == "open" and lines_of(town, claim_id)


def test_every_event_in_every_state_moves_by_the_table_only(town: Town, who: Insured) -> None:
    claim_id, _ = paid(town, who)
    reverse(town, bills_of(town, claim_id)[0])
    row_id = recovery(town, claim_id)["id"]
    for state in RecoveryState:
        for event in sorted(recoveries.events):
            with town.runtime.work() as work:
                change = text("UPDATE recovery SET status = :s WHERE id = :id")
                work.session.execute(change, {"s": state.value, "id": row_id})
                moved = recoveries.move(work, [row_id], event, lenient=True)
                expected = recoveries.table.get((state, event))
                assert [one.new for one in moved] == ([expected] if expected else []), (state, event)


@given(st.lists(st.integers(0, 50), max_size=4), st.integers(-100, 200), st.integers(0, 100))
def test_what_must_come_back_is_what_was_paid_too_much(shares: list[int], over: int, moving: int) -> None:
    dues = rules.dues(shares, over_fen=over, moving_fen=moving)
    sure = [due for due in dues if due is not None]
    assert all(due is None or 0 <= due <= share for due, share in zip(dues, shares, strict=True))
    assert sum(sure) <= max(0, over + moving)
    if moving == 0:
        assert None not in dues and sum(sure) == min(max(0, over), sum(shares))


def test_the_kinds_of_the_ledger_have_two_sides_each() -> None:
    assert all(debit != credit for debit, credit in books.SIDES.values())
