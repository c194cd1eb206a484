"""Money after the decision: the undisputed part is paid while an appeal is decided, and then the difference only."""

from __future__ import annotations

from typing import Any

import pytest

from app.claim import clocks
from tests.app.claim.kit import adjudicate, at_the_insurer, cut, decide, declined, lines_of, say
from tests.app.payout.kit import WECHAT, bank, confirm, ledger, operator, out_no, status
from tests.app.town import Insured, Town, configure


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def decided(town: Town, who: Insured, *amounts: int, **how: Any) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """A claim whose first line was declined: (its id, the decision, its lines as they would be approved in full)."""
    claim_id = at_the_insurer(town, who, *(amounts or (6_000, 4_000)), payee=how.get("payee", bank()))
    lines = lines_of(town, claim_id)
    return claim_id, decide(town, claim_id, outcome="partly", lines=[declined(lines[0]), *lines[1:]]), lines


def appeal(who: Insured, claim_id: str, *lines: dict[str, Any]) -> None:
    named = [{name: line[name] for name in ("clearing_no", "line_no")} for line in lines]
    answer = who.post(f"/claims/{claim_id}/appeal", {"lines": named, "reason": "医生根据病情开具"})
    assert answer.get_json()["status"] == "appealed", answer.get_json()


def payouts(town: Town, claim_id: str) -> list[tuple[int, str]]:
    found = town.rows("SELECT amount_fen, status FROM payout WHERE claim_id = :id ORDER BY id", id=claim_id)
    return [tuple(row) for row in found]


def newest(town: Town, claim_id: str) -> str:
    return str(town.value("SELECT id FROM payout WHERE claim_id = :id ORDER BY id DESC LIMIT 1", id=claim_id))


def pay_out(town: Town, claim_id: str, paid_fen: int) -> None:
    town.until(lambda: town.value("SELECT paid_fen FROM claim WHERE id = :id", id=claim_id) == paid_fen)


def test_the_undisputed_lines_are_paid_and_the_new_decision_pays_the_difference(town: Town, who: Insured) -> None:
    claim_id, first, lines = decided(town, who)
    appeal(who, claim_id, lines[0])
    pay_out(town, claim_id, 4_000)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["approved_fen"], found["payable_fen"]) == ("appealed", 4_000, 4_000)
    decide(town, claim_id, supersedes=first["decision_no"])
    assert who.get(f"/claims/{claim_id}")["payable_fen"] == 4_000, "the patient has not agreed yet"
    assert who.accept(claim_id).status_code == 200
    town.until(lambda: town.status(claim_id) == "paid")
    assert payouts(town, claim_id) == [(4_000, "succeeded"), (6_000, "succeeded")]
    assert who.get(f"/claims/{claim_id}")["paid_fen"] == 10_000
    assert ledger(town, newest(town, claim_id))[:2] == [("approve", "expense", 6_000), ("approve", "payable", -6_000)]
    assert not town.dead()


def test_an_appeal_in_vain_leaves_nothing_more_to_pay(town: Town, who: Insured) -> None:
    claim_id, first, lines = decided(town, who)
    appeal(who, claim_id, lines[0])
    pay_out(town, claim_id, 4_000)
    decide(town, claim_id, outcome="partly", lines=first["lines"], supersedes=first["decision_no"])
    assert who.accept(claim_id).status_code == 200
    town.until(lambda: town.status(claim_id) == "paid")
    assert payouts(town, claim_id) == [(4_000, "succeeded")]


def test_a_decision_below_what_is_undisputed_is_refused(town: Town, who: Insured) -> None:
    claim_id, first, lines = decided(town, who)
    appeal(who, claim_id, lines[0])
    adjudicate(town, claim_id, lines=[declined(lines[0]), cut(lines[1], 1)], outcome="partly",
               supersedes=first["decision_no"])  # fmt: skip
    refused = "SELECT detail->>'code' FROM audit_entry WHERE action = 'claim.decision_refused' AND subject_id = :id"
    assert (town.status(claim_id), town.value(refused, id=claim_id)) == ("appealed", "below_payable")


def test_an_appeal_against_everything_pays_nothing_before_the_sixtieth_day(town: Town, who: Insured) -> None:
    claim_id, first, lines = decided(town, who)
    appeal(who, claim_id)
    town.drain_all("payout.create")
    assert payouts(town, claim_id) == []
    found = "SELECT t.run_at, p.delivered_at FROM task t JOIN claim_package p ON p.claim_id = t.subject"
    [task] = town.rows(found + " WHERE t.kind = 'claim.prepay' AND t.subject = :id", id=claim_id)
    assert task.run_at == clocks.due(task.delivered_at, 60)
    town.rows("UPDATE task SET run_at = now() WHERE kind = 'claim.prepay' AND subject = :id", id=claim_id)
    pay_out(town, claim_id, 4_000)
    assert town.status(claim_id) == "appealed"
    decide(town, claim_id, lines=[cut(lines[0], 1_000), lines[1]], supersedes=first["decision_no"])
    who.accept(claim_id)
    town.until(lambda: town.status(claim_id) == "paid")
    assert payouts(town, claim_id) == [(4_000, "succeeded"), (5_000, "succeeded")]


def test_what_is_certain_is_paid_while_the_insurer_still_examines(town: Town, who: Insured) -> None:
    claim_id = at_the_insurer(town, who, payee=bank())
    lines = lines_of(town, claim_id)
    interim = decide(town, claim_id, outcome="interim", lines=lines[1:])
    say(town, "claim.adjudicated", interim)
    pay_out(town, claim_id, 4_000)
    assert town.status(claim_id) == "adjudicating"
    assert who.post(f"/claims/{claim_id}/withdraw").get_json()["code"] == "too_late_to_withdraw"
    adjudicate(town, claim_id, lines=[lines[0]])
    assert town.status(claim_id) == "adjudicating", "neither whole nor superseding"
    decide(town, claim_id, supersedes=interim["decision_no"])
    who.accept(claim_id)
    town.until(lambda: town.status(claim_id) == "paid")
    assert payouts(town, claim_id) == [(4_000, "succeeded"), (6_000, "succeeded")]


def test_the_difference_waits_for_a_payout_that_is_on_its_way(town: Town) -> None:
    who = town.insured("钱多多")
    claim_id, first, lines = decided(town, who, payee=WECHAT)
    appeal(who, claim_id, lines[0])
    town.drain_all("payout.create", "payout.send")
    decide(town, claim_id, supersedes=first["decision_no"])
    who.accept(claim_id)
    town.drain_all("payout.create")
    assert (town.status(claim_id), payouts(town, claim_id)) == ("paying", [(4_000, "waiting_user_confirm")])
    confirm(town, who, newest(town, claim_id))
    pay_out(town, claim_id, 4_000)
    town.until(lambda: payouts(town, claim_id)[1:] == [(6_000, "waiting_user_confirm")])
    confirm(town, who, newest(town, claim_id))
    town.until(lambda: town.status(claim_id) == "paid")


def test_an_undisputed_part_that_fails_goes_to_another_card_with_the_rest(town: Town, who: Insured) -> None:
    claim_id, first, lines = decided(town, who, payee=bank("6222021234567890120"))
    appeal(who, claim_id, lines[0])
    town.until(lambda: [row[1] for row in payouts(town, claim_id)] == ["failed"])
    assert town.status(claim_id) == "appealed"
    changed = who.post(f"/payouts/{newest(town, claim_id)}/change-to-bank", {"bank_account": "6222021234567890128"})
    assert changed.status_code == 201, changed.get_json()
    pay_out(town, claim_id, 4_000)
    decide(town, claim_id, supersedes=first["decision_no"])
    who.accept(claim_id)
    town.until(lambda: town.status(claim_id) == "paid")
    assert [row[0] for row in payouts(town, claim_id)] == [4_000, 4_000, 6_000]


def test_a_claim_paid_in_parts_is_as_large_as_in_one(town: Town, who: Insured) -> None:
    """Two people look once the parts together reach the limit: never split to stay under it."""
    image = {
        "kind": "identity_image",
        "title": "身份证",
        "media_type": "image/png",
        "content_base64": "iVBORw0KGgo=",
    }
    claim_id = at_the_insurer(town, who, 600_000, 500_000, payee=bank(), documents=[image])
    lines = lines_of(town, claim_id)
    first = decide(town, claim_id, outcome="partly", lines=[declined(lines[0]), lines[1]])
    appeal(who, claim_id, lines[0])
    pay_out(town, claim_id, 500_000)
    decide(town, claim_id, supersedes=first["decision_no"])
    who.accept(claim_id)
    town.drain_all("payout.create")
    assert payouts(town, claim_id) == [(500_000, "succeeded"), (600_000, "held")]
    assert operator(town, f"op-{who.patient_no}", "I1") and status(town, newest(town, claim_id)) == "held"


def test_one_bill_offered_through_two_insurers_is_paid_once_in_full(town: Town, who: Insured) -> None:
    """Both policies pay everything; the second insurer gets the remainder, and both pay out."""
    for code in ("I1", "I2"):
        configure(town.insurers[code], delay_s=0.0)
    town.policy(who, "I1", ratio="0.70")
    town.policy(who, "I2", ratio="1")
    bill_id = town.bill(who, (6_000, 4_000), fund_fen=1_000)
    claims = [town.claim(who, [bill_id], code) for code in ("I1", "I2")]
    for claim_id in claims:
        town.until(lambda claim_id=claim_id: town.status(claim_id) == "approved")  # type: ignore[misc]
        assert who.accept(claim_id).status_code == 200
    for claim_id in claims:
        town.until(lambda claim_id=claim_id: town.status(claim_id) == "paid")  # type: ignore[misc]
    sums = [row[0] for claim_id in claims for row in payouts(town, claim_id)]
    assert sums == [6_300, 2_700] and sum(sums) == 9_000, "what the patient bore, and no fen more"
    refused = town.apply_for(who, [bill_id], "I2", policy_no="another")
    assert refused.get_json()["code"] == "borne_used_up"
    assert all(out_no(town, newest(town, claim_id)) for claim_id in claims) and not town.dead()
