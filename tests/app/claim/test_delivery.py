"""From the hospital's data to the insurer's case, and back: what is shared, when it counts, and how it is reversed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app.core.tasks import MAX_TRIES, replay
from tests.app.claim.kit import (
    NEVER_S,
    adjudicate,
    at_the_insurer,
    booked,
    clearing_rows,
    cut,
    guards,
    journal,
    lines_of,
    set_status,
    told_hospital,
)
from tests.app.kit import Thread
from tests.app.town import Town, as_row, bill_rows, configure, e_bill_row

STEPS = ("claim.assemble", "claim.bills_changed", "claim.verify", "claim.deliver", "claim.consent_withdrawn")


def test_a_claim_waits_for_the_e_bill(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    bill_id = town.bill(who, e_bill="")
    claim_id = town.claim(who, [bill_id])
    town.drain_all(*STEPS)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["holder"]) == ("assembling", "hospital")
    waiting, since = found["waiting"], datetime.fromisoformat(found["status_since"])
    assert waiting["code"] == "e_bill_missing" and "电子票据还没有开出" in waiting["text"] and "5 天" in waiting["text"]
    assert datetime.fromisoformat(waiting["until"]) == since + timedelta(days=5)
    town.drain_all("claim.assemble", hurry=True)
    assert who.get(f"/claims/{claim_id}")["waiting"] == waiting, "since it began"
    town.push([as_row(e_bill_row(town.key_of(bill_id)))])
    town.drain_all(*STEPS)
    assert (town.status(claim_id), who.get(f"/claims/{claim_id}")["waiting"]) == ("adjudicating", None)


def test_a_claim_that_is_withdrawn_waits_for_nothing(town: Town) -> None:
    who = town.insured()
    claim_id = town.claim(who, [town.bill(who, e_bill="")])
    town.drain_all(*STEPS)
    assert who.get(f"/claims/{claim_id}")["waiting"]["code"] == "e_bill_missing"
    assert who.post(f"/claims/{claim_id}/withdraw").get_json()["waiting"] is None
    assert town.value("SELECT waiting IS NULL FROM claim WHERE id = :id", id=claim_id)


def test_a_claim_waits_for_a_bill_that_was_amended_wrongly(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    bill_id = town.bill(who, (6_000, 4_000), e_bill="")
    claim_id = town.claim(who, [bill_id])
    line = next(row for row in bill_rows(town.key_of(bill_id), who.patient_no, (5_000,)) if row["type"] == "fee_line")
    town.push([line | {"version": 2}])
    town.drain_all(*STEPS)
    assert who.get(f"/claims/{claim_id}")["waiting"]["code"] == "bill_refused"


def test_a_hospital_that_sends_nothing_ends_the_claim(town: Town) -> None:
    who = town.insured()
    claim_id = town.claim(who, [town.bill(who, e_bill="")])
    town.rows("UPDATE claim SET status_since = now() - interval '6 days' WHERE id = :id", id=claim_id)
    town.drain_all("claim.assemble", hurry=True)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", "data_missing")
    assert clearing_rows(town, claim_id) == [("pay", False, False, None)]


@pytest.mark.parametrize(
    ("terms", "code"),
    [(None, "not_insured"), ({"valid_from": "2020-01-01", "valid_to": "2020-12-31"}, "outside_cover")],
)
def test_who_is_not_covered_learns_it_before_anything_is_shared(
    town: Town, terms: dict[str, str] | None, code: str
) -> None:
    who = town.insured()
    if terms is not None:
        town.policy(who, **terms)
    bill_id = town.bill(who)
    claim_id = town.claim(who, [bill_id])
    before = len(journal(town, "I1", "/v1/claims"))
    town.drain_all(*STEPS)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", code)
    assert len(journal(town, "I1", "/v1/claims")) == before
    assert told_hospital(town, claim_id) == 0 and guards(town, claim_id) == 0
    assert town.apply_for(who, [bill_id]).status_code == 201, "the bill is free again"


def test_a_claim_withdrawn_while_the_insurer_is_asked_guards_nothing(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    claim_id = town.claim(who, [town.bill(who)])
    town.drain_all("claim.assemble")
    town.insurers["I1"].fail("/v1/eligibility", delay_s=0.4)
    asking = Thread(lambda: town.drain_all("claim.verify"))
    town.until(lambda: not town.insurers["I1"].faults or town.insurers["I1"].faults[0].times == 0, 60, "audit.seal")
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    asking.result()
    assert (town.status(claim_id), guards(town, claim_id)) == ("withdrawn", 0)


def test_an_e_bill_stands_in_one_live_claim_of_a_policy(town: Town) -> None:
    """Two claims that did not name a policy meet at the same one: the guard lets one in."""
    who = town.insured()
    town.policy(who)
    bill_id = town.bill(who)
    first, second = town.claim(who, [bill_id]), ""
    town.rows("UPDATE claim_bill SET live = false WHERE claim_id = :id", id=first)  # as two databases would see it
    second = town.claim(who, [bill_id])
    town.drain_all("claim.assemble")
    threads = [Thread(lambda: town.drain_all("claim.verify")) for _ in range(2)]
    for thread in threads:
        thread.result()
    assert sorted([town.status(first), town.status(second)]) == ["ineligible", "verified"]
    assert guards(town, first) + guards(town, second) == 1


def test_a_lost_answer_is_the_same_case(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    claim_id = town.claim(who, [town.bill(who)])
    town.insurers["I1"].fail("/v1/claims$", drop="after")
    town.drain_all(*STEPS)
    assert (town.status(claim_id), clearing_rows(town, claim_id)) == ("delivering", [("pay", True, False, None)])
    assert told_hospital(town, claim_id) == 0
    town.drain_all("claim.deliver", hurry=True)
    assert town.status(claim_id) == "adjudicating"
    assert booked(town, claim_id) == [("pay", 10_000)]
    assert town.value("SELECT count(*) FROM claim_package WHERE claim_id = :id", id=claim_id) == 1


def test_a_refused_package_stands_in_nobodys_books(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    claim_id = town.claim(who, [town.bill(who)])
    configure(town.insurers["I1"], package_public_keys={})
    town.drain_all(*STEPS)
    configure(town.insurers["I1"], package_public_keys=town.clinic.world["platform"]["package_public_keys"])
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", "package_invalid")
    assert clearing_rows(town, claim_id) == [("pay", False, False, None)]
    assert told_hospital(town, claim_id) == 0 and booked(town, claim_id) == []


@pytest.mark.parametrize("status", [401, 403, 404, 413])
def test_what_stands_between_us_and_the_insurer_does_not_end_a_claim(town: Town, status: int) -> None:
    """A wrong key, a moved address, a proxy's limit: tried again, and replayed when it is mended."""
    who = town.insured()
    town.policy(who)
    configure(town.insurers["I1"], delay_s=NEVER_S)
    claim_id = town.claim(who, [town.bill(who)])
    town.drain_all("claim.assemble", "claim.verify")
    town.insurers["I1"].fail("/v1/claims$", status=status, body={"code": "why"})
    town.drain_all("claim.deliver")
    assert (town.status(claim_id), town.dead(), booked(town, claim_id)) == ("delivering", [], [])
    town.rows("UPDATE task SET tries = :tries WHERE subject = :id", tries=MAX_TRIES - 1, id=claim_id)
    town.insurers["I1"].fail("/v1/claims$", status=status, body={"code": "why"})
    town.drain_all("claim.deliver", hurry=True)
    assert (town.status(claim_id), town.dead()) == ("delivering", [("claim.deliver", "PartnerFault: insurer: why")])
    task_id = town.value("SELECT id FROM task WHERE status = 'dead' AND subject = :id", id=claim_id)
    with town.runtime.work() as work:
        assert replay(work.session, task_id)
    town.drain_all("claim.deliver")
    assert town.status(claim_id) == "adjudicating" and booked(town, claim_id) == [("pay", 10_000)]


def test_a_newer_version_of_the_bill_counts_until_it_is_sealed(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    bill_id = town.bill(who, (10_000,))
    claim_id = town.claim(who, [bill_id])
    town.drain_all("claim.assemble", "claim.verify")
    newer = bill_rows(town.key_of(bill_id), who.patient_no, (10_000,), fund_fen=4_000, version=2)
    town.push(newer)
    town.drain_all(*STEPS)
    found = who.get(f"/claims/{claim_id}")
    assert (found["asked_fen"], found["bills"][0]["borne_fen"]) == (6_000, 6_000)
    assert booked(town, claim_id) == [("pay", 6_000)]


def test_a_second_policy_waits_for_the_first_and_gets_the_rest(town: Town) -> None:
    who = town.insured()
    town.policy(who, "I2", ratio="1")
    bill_id = town.bill(who, (10_000,))
    town.policy(who, "I1")
    configure(town.insurers["I1"], delay_s=NEVER_S)
    first, second = town.claim(who, [bill_id]), town.claim(who, [bill_id], "I2")
    town.drain_all(*STEPS)
    assert (town.status(first), town.status(second)) == ("adjudicating", "verified")
    adjudicate(town, first, lines=[cut(line, 3_000) for line in lines_of(town, first)])
    town.drain_all("claim.deliver", hurry=True)
    town.settle_down()
    found = who.get(f"/claims/{second}")
    assert (found["status"], found["approved_fen"], found["asked_fen"]) == ("approved", 3_000, 3_000)
    refused = town.apply_for(who, [bill_id], policy_no="another")
    assert refused.get_json()["code"] == "borne_used_up"


def test_withdrawn_after_delivery_is_reversed_in_all_three_books(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    assert told_hospital(town, claim_id) == 1
    town.drain_all("claim.tell_withdrawal")
    pay, reverse = town.rows("SELECT clearing_no FROM claim_bill WHERE claim_id = :id ORDER BY ordinal", id=claim_id)
    [told] = [c["body"] for c in town.commands("H1", "clearing") if c["body"]["clearing_no"] == reverse.clearing_no]
    assert (told["kind"], told["original_clearing_no"]) == ("reverse", pay.clearing_no)
    assert booked(town, claim_id) == [("pay", 10_000), ("reverse", 10_000)]
    assert [row[:3] for row in clearing_rows(town, claim_id)] == [("pay", False, True), ("reverse", False, True)]


def test_a_decision_that_was_faster_than_the_withdrawal_leaves_the_books_as_they_are(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    insurer = town.insurers["I1"]
    case = insurer.book.case(no)
    insurer.book.save(case | {"state": "decided"})
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    town.drain_all("claim.tell_withdrawal")
    assert not town.dead() and booked(town, claim_id) == [("pay", 10_000)]
    assert [row[:3] for row in clearing_rows(town, claim_id)] == [("pay", False, True), ("reverse", False, False)]


def test_withdrawn_while_its_delivery_is_unknown_is_delivered_and_reversed(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    configure(town.insurers["I1"], delay_s=NEVER_S)
    claim_id = town.claim(who, [town.bill(who)])
    town.insurers["I1"].fail("/v1/claims$", drop="after")
    town.drain_all(*STEPS)
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    assert [row[0] for row in clearing_rows(town, claim_id)] == ["pay"]
    town.drain_all("claim.deliver", hurry=True)
    town.drain_all("claim.tell_withdrawal")
    assert booked(town, claim_id) == [("pay", 10_000), ("reverse", 10_000)]
    assert [row[:3] for row in clearing_rows(town, claim_id)] == [("pay", False, True), ("reverse", False, True)]


WITHDRAWABLE = ("submitted", "assembling", "verifying", "verified", "delivering", "adjudicating", "needs_documents")
DECIDED = ("approved", "rejected", "accepted", "appealed", "paying", "paid", "closed", "withdrawn", "ineligible")


def test_withdrawing_is_possible_until_the_decision(town: Town) -> None:
    who = town.insured()
    claim_id = town.claim(who, [town.bill(who)])
    for status in DECIDED:
        set_status(town, claim_id, status)
        refused = who.post(f"/claims/{claim_id}/withdraw")
        assert (refused.status_code, refused.get_json()["code"]) == (409, "too_late_to_withdraw"), status
    for status in WITHDRAWABLE:
        set_status(town, claim_id, status)
        assert who.post(f"/claims/{claim_id}/withdraw").get_json()["status"] == "withdrawn", status


def test_a_reversed_e_bill_takes_the_claim_back(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    early, bill_id = town.bill(who, e_bill=""), town.bill(who)
    waiting = town.claim(who, [early])
    configure(town.insurers["I1"], delay_s=NEVER_S)
    running = town.claim(who, [bill_id])
    town.drain_all(*STEPS)
    reversed_rows = [as_row(e_bill_row(town.key_of(one), "reversed"), 2) for one in (early, bill_id)]
    town.push(reversed_rows)
    town.drain_all(*STEPS, "claim.e_bills_reversed", "claim.tell_withdrawal")
    assert town.status(running) == "withdrawn" and guards(town, running) == 0
    assert town.status(waiting) in ("ineligible", "withdrawn")
    for claim_id in (waiting, running):
        assert who.get(f"/claims/{claim_id}")["reasons"][0]["code"] == "e_bill_reversed"
