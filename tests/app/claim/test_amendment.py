"""A bill that the hospital amends after its package was sealed: less is paid, or the difference comes back; once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.claim.models.claims import ClaimBill
from app.claim.models.decisions import Recovery
from tests.app.claim.kit import (
    adjudicate,
    at_the_insurer,
    booked,
    cut,
    decide,
    declined,
    fed,
    lines_of,
    say,
)
from tests.app.payout.kit import WECHAT, asked, balances, confirm, created, send, status
from tests.app.town import Insured, Town, bill_rows, configure

AFTER = ("claim.bills_changed", "payout.bills_lost", "payout.create", "claim.tell_recovery")


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def bill_of(town: Town, claim_id: str) -> UUID:
    found = "SELECT bill_id FROM claim_bill WHERE claim_id = :id AND kind = 'pay' ORDER BY ordinal LIMIT 1"
    return UUID(str(town.value(found, id=claim_id)))


def rows_of(town: Town, who: Insured, claim_id: str, *amounts: int, **how: Any) -> list[dict[str, Any]]:
    """The bill and its lines in a newer version."""
    rows = bill_rows(
        town.key_of(bill_of(town, claim_id)), who.patient_no, amounts, **{"version": 2, "e_bill": "", **how}
    )
    return [row for row in rows if row["type"] in ("bill", "fee_line")]


def amend(town: Town, who: Insured, claim_id: str, *amounts: int, **how: Any) -> None:
    town.push(rows_of(town, who, claim_id, *amounts, **how))
    town.drain_all(*AFTER)


def recoveries(town: Town, claim_id: str) -> list[dict[str, Any]]:
    found = town.rows(
        "SELECT recovery_no, clearing_no, reason, status, lost_fen, share_fen, due_fen FROM recovery"
        " WHERE claim_id = :id ORDER BY id",
        id=claim_id,
    )
    return [dict(row._mapping) for row in found]


def outcomes(town: Town, claim_id: str) -> list[tuple[Any, ...]]:
    """(reason, status, lost, share, due) of each recovery."""
    return [tuple(one.values())[2:] for one in recoveries(town, claim_id)]


def money(town: Town, claim_id: str) -> tuple[int, int, int]:
    """(approved, lost, payable) over the claim's bills."""
    found = "SELECT approved_fen, lost_fen, payable_fen FROM claim_bill WHERE claim_id = :id AND kind = 'pay'"
    approved, lost, payable = (sum(row) for row in zip(*town.rows(found, id=claim_id), strict=True))
    return approved, lost, payable


def case_of(town: Town, claim_id: str, code: str = "I1") -> dict[str, Any]:
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    return dict(town.insurers[code].book.case(no))


def paid(town: Town, who: Insured, **how: Any) -> str:
    claim_id, payout_id = created(town, who, **how)
    town.until(lambda: status(town, payout_id) == "succeeded")
    town.drain_all("claim.tell_payout")
    return claim_id


def told(town: Town, who: Insured) -> set[str]:
    return {row[0] for row in town.rows("SELECT template FROM notice WHERE account_id = :id", id=who.account_id)}


def ended(town: Town, claim_id: str, outcome: str, number: int = -1) -> None:
    one = recoveries(town, claim_id)[number]
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    said = {"claim_no": no, "recovery_no": one["recovery_no"], "outcome": outcome, "amount_fen": one["due_fen"]}
    say(town, "claim.recovery_ended", said)
    town.drain_all("payout.recovery_ended", "claim.tell_recovery")


def test_paid_and_amended_the_difference_comes_back(town: Town, who: Insured) -> None:
    claim_id = paid(town, who)
    for _ in range(2):
        amend(town, who, claim_id, 6_000, 1_000)
    assert outcomes(town, claim_id) == [("bill_amended", "open", 3_000, 3_000, 3_000)]
    assert money(town, claim_id) == (10_000, 3_000, 7_000)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"], found["payable_fen"], found["bills"][0]["lost_fen"]) == (
        "paid", 10_000, 7_000, 3_000)  # fmt: skip
    assert "30.00" in found["recoveries"][0]["in_words"] and "更正" in found["recoveries"][0]["in_words"]
    assert "recovery_opened" in told(town, who)
    assert balances(town, claim_id) == {"bank": -10_000, "expense": 7_000, "receivable": 3_000}
    assert booked(town, claim_id) == [("pay", 10_000)], "an amended bill stays in the books as it was booked"
    [one] = recoveries(town, claim_id)
    assert one["recovery_no"] == f"{one['clearing_no']}-1"
    assert case_of(town, claim_id)["recoveries"][one["recovery_no"]]["due_fen"] == 3_000
    assert [said["status"] for said in fed(town, "claim.recovery", claim_id)][-1] == "open"
    ended(town, claim_id, "repaid")
    assert balances(town, claim_id) == {"bank": -10_000, "expense": 7_000, "collected": 3_000} and not town.dead()


def test_amended_twice_owes_the_further_difference_and_reversed_what_remains(town: Town, who: Insured) -> None:
    claim_id = paid(town, who)
    amend(town, who, claim_id, 6_000, 1_000)
    ended(town, claim_id, "written_off")
    amend(town, who, claim_id, 5_500, 1_000, version=3)
    assert outcomes(town, claim_id)[1] == ("bill_amended", "open", 500, 500, 500)
    amend(town, who, claim_id, 5_500, 1_000, version=4, status="refunded")
    assert outcomes(town, claim_id)[2] == ("bill_refunded", "open", 6_500, 6_500, 6_500)
    assert sum(one["due_fen"] for one in recoveries(town, claim_id)) == 10_000
    assert town.status(claim_id) == "closed"
    assert balances(town, claim_id) == {"bank": -10_000, "expense": 3_000, "receivable": 7_000}
    assert booked(town, claim_id) == [("pay", 10_000), ("reverse", 10_000)] and not town.dead()


def test_every_row_of_a_claim_carries_its_check_from_the_first_moment(town: Town, who: Insured) -> None:
    town.policy(who)
    town.claim(who, [town.bill(who)])
    amend(town, who, paid(town, who), 6_000, 1_000, status="refunded")
    with town.runtime.read() as session:
        rows = [*session.scalars(select(ClaimBill)), *session.scalars(select(Recovery))]
    assert {row.kind for row in rows if isinstance(row, ClaimBill)} == {"pay", "reverse"}
    for row in rows:
        row.require_check(town.runtime.privacy)


def test_amended_upwards_gives_nothing_and_takes_nothing(town: Town, who: Insured) -> None:
    claim_id = paid(town, who)
    amend(town, who, claim_id, 9_000, 4_000)
    assert (outcomes(town, claim_id), money(town, claim_id)) == ([], (10_000, 0, 10_000))
    amend(town, who, claim_id, 6_000, 2_000, version=3)
    amend(town, who, claim_id, 9_000, 9_000, version=4)
    assert outcomes(town, claim_id) == [("bill_amended", "open", 2_000, 2_000, 2_000)], "what was lost stays lost"
    assert town.value("SELECT count(*) FROM task WHERE kind = 'claim.bills_changed' AND last_error IS NOT NULL") == 0


def test_before_it_is_sent_the_payout_is_made_anew_for_what_is_left(town: Town, who: Insured) -> None:
    claim_id, payout_id = created(town, who)
    amend(town, who, claim_id, 6_000, 1_000)
    send(town)
    assert (status(town, payout_id), asked(town, payout_id)) == ("cancelled", 0)
    town.until(lambda: town.status(claim_id) == "paid")
    assert who.get(f"/claims/{claim_id}")["paid_fen"] == 7_000
    assert outcomes(town, claim_id) == [("bill_amended", "void", 3_000, 3_000, 0)]
    assert balances(town, claim_id) == {"bank": -7_000, "expense": 7_000}
    town.drain_all("claim.tell_recovery", "claim.tell_payout")
    assert "claim_lowered" in told(town, who) and not town.dead()


def test_a_payout_that_is_about_to_be_sent_stops_though_nobody_has_stopped_it(town: Town, who: Insured) -> None:
    claim_id, payout_id = created(town, who)
    town.push(rows_of(town, who, claim_id, 6_000, 1_000))
    town.drain_all("claim.bills_changed")
    send(town)
    assert (status(town, payout_id), asked(town, payout_id)) == ("cancelled", 0)
    town.until(lambda: town.status(claim_id) == "paid")
    assert balances(town, claim_id) == {"bank": -7_000, "expense": 7_000}


def test_decided_and_not_yet_accepted_only_what_is_left_becomes_payable(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    decide(town, claim_id)
    amend(town, who, claim_id, 6_000, 1_000)
    assert money(town, claim_id) == (10_000, 3_000, 0)
    assert outcomes(town, claim_id) == [("bill_amended", "void", 3_000, 0, 0)]
    who.accept(claim_id)
    town.until(lambda: town.status(claim_id) == "paid")
    assert who.get(f"/claims/{claim_id}")["paid_fen"] == 7_000 and not town.dead()


def test_amended_while_the_insurer_examines_the_decision_is_followed_at_once(town: Town, who: Insured) -> None:
    """The insurer decides on the package; that the bill says another thing now is no objection to its decision."""
    claim_id = at_the_insurer(town, who)
    lines = lines_of(town, claim_id)
    amend(town, who, claim_id, 6_000, 1_000)
    assert town.status(claim_id) == "adjudicating"
    decide(town, claim_id, lines=lines)
    assert (town.status(claim_id), money(town, claim_id)) == ("approved", (10_000, 3_000, 0))
    who.accept(claim_id)
    town.until(lambda: town.status(claim_id) == "paid")
    assert who.get(f"/claims/{claim_id}")["paid_fen"] == 7_000 and not town.dead()


def test_a_decision_on_lines_that_were_never_shown_is_still_refused(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    amend(town, who, claim_id, 6_000, 1_000)
    adjudicate(town, claim_id)
    assert town.status(claim_id) == "adjudicating"
    assert fed(town, "claim.decision_refused", claim_id)[0]["code"] == "line_unknown"


def test_amended_before_it_is_delivered_the_claim_asks_for_the_new_amount(town: Town, who: Insured) -> None:
    configure(town.insurers["I1"], delay_s=3600.0)
    town.policy(who)
    claim_id = town.claim(who, [town.bill(who, (6_000, 4_000))])
    town.push(rows_of(town, who, claim_id, 6_000, 1_000))
    town.drain_all("claim.bills_changed", "claim.assemble", "claim.verify", "claim.deliver")
    decide(town, claim_id)
    assert (money(town, claim_id), outcomes(town, claim_id)) == ((7_000, 0, 0), [])


def test_nothing_is_concluded_from_half_an_amendment(town: Town, who: Insured) -> None:
    """Bill and lines may come in any order and twice: only what balances counts, an older version never."""
    claim_id = paid(town, who)
    rows = rows_of(town, who, claim_id, 6_000, 1_000)
    for part in ([rows[0]], [rows[1]]):
        town.push(part)
        town.drain_all(*AFTER)
        assert outcomes(town, claim_id) == []
    for part in ([rows[2]], [rows[0]], [rows[2]], rows_of(town, who, claim_id, 100, 100, version=1)):
        town.push(part)
        town.drain_all(*AFTER)
    assert outcomes(town, claim_id) == [("bill_amended", "open", 3_000, 3_000, 3_000)]


def test_money_on_its_way_decides_what_must_come_back(town: Town) -> None:
    who = town.insured("钱多多")
    claim_id, payout_id = created(town, who, payee=WECHAT)
    send(town)
    amend(town, who, claim_id, 6_000, 1_000)
    assert outcomes(town, claim_id) == [("bill_amended", "waiting", 3_000, 3_000, 0)]
    amend(town, who, claim_id, 6_000, 500, version=3)
    confirm(town, who, payout_id)
    town.until(lambda: all(one["status"] == "open" for one in recoveries(town, claim_id)))
    assert [one["due_fen"] for one in recoveries(town, claim_id)] == [3_000, 500]


def test_an_appeal_after_the_amendment_gets_what_the_bill_still_carries(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    first, second = lines_of(town, claim_id)
    decide(town, claim_id, lines=[declined(first), second])
    amend(town, who, claim_id, 6_000, 1_000)
    assert money(town, claim_id) == (4_000, 3_000, 0)
    who.post(f"/claims/{claim_id}/appeal", {"reason": "有必要", "lines": []})
    before = town.value("SELECT decision_no FROM decision WHERE claim_id = :id", id=claim_id)
    decide(town, claim_id, lines=[first, second], supersedes=before)
    assert money(town, claim_id) == (10_000, 3_000, 0)
    who.accept(claim_id)
    town.until(lambda: town.status(claim_id) == "paid")
    town.drain_all("claim.tell_recovery", "claim.tell_payout")
    assert who.get(f"/claims/{claim_id}")["paid_fen"] == 7_000 and not town.dead()


def test_a_new_decision_is_worked_out_anew(town: Town, who: Insured) -> None:
    """The amended line is now declined, the other one approved: nothing of that is lost."""
    claim_id = at_the_insurer(town, who)
    first, second = lines_of(town, claim_id)
    decide(town, claim_id, lines=[declined(first), second])
    amend(town, who, claim_id, 6_000, 1_000)
    who.post(f"/claims/{claim_id}/appeal", {"reason": "有必要", "lines": []})
    before = town.value("SELECT decision_no FROM decision WHERE claim_id = :id", id=claim_id)
    decide(town, claim_id, lines=[first, declined(second)], supersedes=before)
    assert money(town, claim_id) == (6_000, 0, 0)


def test_what_was_paid_before_the_decision_comes_back_and_the_decision_stands(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    lines = lines_of(town, claim_id)
    interim = decide(town, claim_id, lines=lines, outcome="interim")
    town.until(lambda: who.get(f"/claims/{claim_id}")["paid_fen"] == 10_000)
    amend(town, who, claim_id, 6_000, 1_000)
    assert outcomes(town, claim_id) == [("bill_amended", "open", 3_000, 3_000, 3_000)]
    decide(town, claim_id, lines=lines, supersedes=interim["decision_no"])
    assert money(town, claim_id) == (10_000, 3_000, 7_000)
    who.accept(claim_id)
    town.until(lambda: town.status(claim_id) == "paid")
    town.drain_all(*AFTER)
    assert outcomes(town, claim_id)[1:] == [("bill_amended", "void", 3_000, 0, 0)], "of the new decision, paid before"
    assert balances(town, claim_id) == {"bank": -10_000, "expense": 7_000, "receivable": 3_000} and not town.dead()


def test_a_cap_and_a_bill_of_nothing(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who)
    first, second = lines_of(town, claim_id)
    decide(town, claim_id, lines=[first, cut(second, 2_500)])
    amend(town, who, claim_id, 6_000, 1_500)
    assert money(town, claim_id) == (7_500, 0, 0), "what the cap took goes first"
    amend(town, who, claim_id, 0, 0, version=3)
    assert (town.status(claim_id), money(town, claim_id)) == ("closed", (7_500, 7_500, 0))


def test_of_two_claims_the_earlier_keeps_first(town: Town, who: Insured) -> None:
    for code in ("I1", "I2"):
        configure(town.insurers[code], delay_s=3600.0)
        town.policy(who, code)
    bill_id = town.bill(who, (6_000, 4_000))
    claims = [town.claim(who, [bill_id], code) for code in ("I1", "I2")]
    town.drain_all("claim.assemble", "claim.verify", "claim.deliver")
    first, second = lines_of(town, claims[0])
    decide(town, claims[0], lines=[first, declined(second)])
    town.until(lambda: town.status(claims[1]) == "adjudicating")
    first, second = lines_of(town, claims[1])
    town.push(rows_of(town, who, claims[0], 5_000, 3_500))
    decide(town, claims[1], code="I2", lines=[declined(first), second])
    assert [money(town, claim_id)[:2] for claim_id in claims] == [(6_000, 0), (4_000, 500)], "not followed yet"
    town.drain_all(*AFTER)
    assert [money(town, claim_id)[:2] for claim_id in claims] == [(6_000, 1_000), (4_000, 500)]


def test_the_same_news_worked_on_by_many_at_once_opens_one_recovery(town: Town, who: Insured) -> None:
    claim_id = paid(town, who)
    town.push(rows_of(town, who, claim_id, 6_000, 1_000))
    args = {"bill_ids": [str(bill_of(town, claim_id))]}
    with town.runtime.work() as work:
        for _ in range(4):
            work.later("claim.bills_changed", UUID(claim_id), args=args)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: town.drain_all(*AFTER), range(4)))
    assert outcomes(town, claim_id) == [("bill_amended", "open", 3_000, 3_000, 3_000)] and not town.dead()


@pytest.mark.parametrize("turn", range(3))
def test_amended_while_the_patient_accepts_and_money_goes_out_the_patient_keeps_what_the_bill_carries(
    town: Town, who: Insured, turn: int
) -> None:
    """Whoever is first: less is paid, or the difference is owed."""
    claim_id = at_the_insurer(town, who)
    decide(town, claim_id)
    town.push(rows_of(town, who, claim_id, 6_000, 1_000))
    steps = [
        lambda: who.accept(claim_id),
        lambda: town.drain_all("claim.bills_changed"),
        lambda: town.drain_all("payout.create", "payout.send"),
        lambda: town.drain_all("payout.bills_lost", "payout.create", "payout.send"),
    ]
    with ThreadPoolExecutor(4) as pool:
        for answer in [pool.submit(step) for step in steps[turn:] + steps[:turn]]:
            answer.result()
    town.until(lambda: town.status(claim_id) == "paid")
    town.drain_all(*AFTER, "claim.tell_payout", "claim.tell_acceptance")
    owed = sum(one["due_fen"] for one in recoveries(town, claim_id))
    assert who.get(f"/claims/{claim_id}")["paid_fen"] - owed == 7_000
    assert balances(town, claim_id)["expense"] == 7_000 and not town.dead()


@pytest.mark.parametrize(
    "planted",
    [
        "UPDATE claim_bill SET payable_fen = 7001 WHERE claim_id = :id",
        "UPDATE claim_bill SET lost_fen = 10001, payable_fen = 0 WHERE claim_id = :id",
        "UPDATE recovery SET due_fen = 3001 WHERE claim_id = :id",
        "UPDATE recovery SET share_fen = 3001 WHERE claim_id = :id",
        "UPDATE recovery SET lost_fen = 0, share_fen = 0, due_fen = 0 WHERE claim_id = :id",
    ],
)
def test_the_database_refuses_what_does_not_add_up(town: Town, who: Insured, planted: str) -> None:
    claim_id = paid(town, who)
    amend(town, who, claim_id, 6_000, 1_000)
    with pytest.raises(IntegrityError), town.runtime.work() as work:
        work.session.execute(text(planted), {"id": claim_id})
