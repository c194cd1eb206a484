"""Decisions: what holds is kept once, what does not changes nothing and the insurer is told why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.app.claim.kit import (
    adjudicate,
    at_the_insurer,
    clearing_rows,
    cut,
    decide,
    decision,
    declined,
    fed,
    feed,
    lines_of,
    say,
    set_status,
)
from tests.app.kit import Thread
from tests.app.town import Town, configure

NOTHING = {"covered_fen": 0, "approved_fen": 0}


def refusals(town: Town, claim_id: str) -> list[str]:
    found = "SELECT detail->>'code' FROM audit_entry WHERE action = 'claim.decision_refused' AND subject_id = :id"
    return [row[0] for row in town.rows(found, id=claim_id)]


def test_a_decision_told_twice_counts_once_and_another_one_later_not_at_all(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    said = adjudicate(town, claim_id)
    say(town, "claim.adjudicated", said)
    adjudicate(town, claim_id, outcome="rejected", approved_fen=0,
               lines=[line | {"approved_fen": 0} for line in lines_of(town, claim_id)])  # fmt: skip
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["approved_fen"]) == ("approved", 10_000)
    assert refusals(town, claim_id) == ["not_superseding"]
    assert town.value("SELECT count(*) FROM decision WHERE claim_id = :id", id=claim_id) == 1
    assert clearing_rows(town, claim_id) == [("pay", True, True, 10_000)]
    assert found["lines"][0]["in_words"] == "费用 60.00 元，赔付 60.00 元"


def test_a_decision_after_the_withdrawal_changes_nothing(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    said = adjudicate(town, claim_id)
    assert town.status(claim_id) == "withdrawn"
    assert town.value("SELECT count(*) FROM decision WHERE claim_id = :id", id=claim_id) == 0
    told = {"code": "claim_not_open", "decision_no": said["decision_no"], "fields": {"status": "withdrawn"}}
    assert [told.items() <= one.items() for one in fed(town, "claim.decision_refused", claim_id)] == [True]


def revised(town: Town, claim_id: str, first: dict[str, Any], **how: Any) -> dict[str, Any]:
    return adjudicate(town, claim_id, supersedes=first["decision_no"], **how)


def test_what_the_insurer_revises_before_it_is_accepted_is_what_the_patient_decides_on(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    lines = lines_of(town, claim_id)
    first = decide(town, claim_id)
    second = decide(town, claim_id, lines=[cut(lines[0], 2_000), lines[1]], outcome="partly",
                    supersedes=first["decision_no"])  # fmt: skip
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["approved_fen"]) == ("approved", 8_000)
    assert found["decision_no"] == second["decision_no"]
    for read in ({}, {"decision_no": first["decision_no"]}):
        refused = who.post(f"/claims/{claim_id}/accept", read)
        assert (refused.status_code, refused.get_json()["code"]) == (409, "decision_revised")
    assert town.status(claim_id) == "approved"
    accepted = who.post(f"/claims/{claim_id}/accept", {"decision_no": second["decision_no"]})
    assert accepted.get_json()["status"] == "accepted"
    town.settle_down()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"], town.dead()) == ("paid", 8_000, [])
    [told] = fed(town, "claim.acceptance", claim_id)
    assert told["decision_no"] == second["decision_no"]


def test_a_rejection_is_revised_and_silence_counts_from_the_revision_on(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    first = adjudicate(town, claim_id, lines=[declined(line) for line in lines_of(town, claim_id)])
    town.rows("UPDATE claim SET accept_by = now() - interval '1 second' WHERE id = :id", id=claim_id)
    second = revised(town, claim_id, first)
    with town.runtime.work() as work:
        work.later("claim.silence", claim_id)  # type: ignore[arg-type]
    town.drain_all("claim.silence")
    assert town.status(claim_id) == "approved", "three days for the new one"
    revised(town, claim_id, second, lines=[declined(line) for line in lines_of(town, claim_id)])
    assert (town.status(claim_id), refusals(town, claim_id)) == ("rejected", [])


def test_a_revision_that_does_not_hold_leaves_the_decision_as_it_is(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    first = adjudicate(town, claim_id)
    adjudicate(town, claim_id)
    revised(town, claim_id, first, outcome="interim")
    revised(town, claim_id, first, decision_no=first["decision_no"], approved_fen=1)
    assert refusals(town, claim_id) == ["not_superseding", "interim_too_late", "decision_no_reused"]
    assert who.get(f"/claims/{claim_id}")["approved_fen"] == 10_000


@pytest.mark.parametrize("status", ["accepted", "paying", "paid", "closed", "withdrawn", "ineligible"])
def test_what_comes_too_late_changes_nothing_and_the_insurer_is_told(town: Town, status: str) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    first = adjudicate(town, claim_id)
    set_status(town, claim_id, status)
    revised(town, claim_id, first, lines=[declined(line) for line in lines_of(town, claim_id)])
    assert (town.status(claim_id), refusals(town, claim_id)) == (status, ["claim_not_open"])
    items = [{"kind": "invoice", "text": "发票原件"}]
    say(town, "claim.documents_requested", {"claim_no": first["claim_no"], "request_no": "late", "items": items})
    told = feed(town, "message.refused")[-1]
    assert (told["type"], told["code"]) == ("claim.documents_requested", "claim_not_open")
    assert told["fields"] == {"status": status}


def test_a_case_number_that_is_not_the_claims_may_mean_another_claim(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    adjudicate(town, claim_id, case_no="CASE-OF-ANOTHER")
    assert (town.status(claim_id), refusals(town, claim_id)) == ("adjudicating", ["case_no_differs"])
    said = decision(town, claim_id)
    for case_no in ("CASE-OF-ANOTHER", said["case_no"]):
        say(town, "claim.case_opened", {"claim_no": said["claim_no"], "case_no": case_no})
    told = feed(town, "message.refused")[-1]
    assert (told["type"], told["code"]) == ("claim.case_opened", "case_no_differs")
    assert who.get(f"/claims/{claim_id}")["case_no"] == said["case_no"]


def test_a_decision_before_our_delivery_is_noted_waits(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    set_status(town, claim_id, "delivering")
    adjudicate(town, claim_id)
    assert town.status(claim_id) == "delivering"
    set_status(town, claim_id, "adjudicating")
    town.drain_all("claim.adjudicated", hurry=True)
    assert town.status(claim_id) == "approved"


Change = Callable[[list[dict[str, Any]]], dict[str, Any]]


def changed(**values: Any) -> Change:
    """The first line's values replaced; the sums stay what the lines say."""
    return lambda lines: {"lines": [lines[0] | values, *lines[1:]]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: {"approved_fen": 9_999}, "decision_does_not_add_up"),
        (lambda lines: {"outcome": "rejected"}, "decision_does_not_add_up"),
        (changed(line_no=99), "line_unknown"),
        (changed(clearing_no="2026112100000000019"), "line_unknown"),
        (changed(billed_fen=7_000, covered_fen=7_000, approved_fen=7_000), "line_unknown"),
        (lambda lines: {"lines": [*lines, lines[0]]}, "line_unknown"),
        (changed(covered_fen=6_001), "line_does_not_add_up"),
        (changed(approved_fen=6_001), "line_does_not_add_up"),
        (changed(deductible_fen=1), "line_does_not_add_up"),
        (changed(covered_fen=-1, approved_fen=-1), "line_does_not_add_up"),
    ],
)
def test_what_does_not_add_up_is_refused_and_the_insurer_told(town: Town, change: Change, code: str) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    said = adjudicate(town, claim_id, **change(lines_of(town, claim_id)))
    assert (town.status(claim_id), refusals(town, claim_id)) == ("adjudicating", [code])
    assert clearing_rows(town, claim_id) == [("pay", True, True, None)]
    told = town.agent("I1").ok("/changes/poll", {"cursor": 0, "max": 200, "wait_ms": 0})["changes"]
    refused = {"claim_no": said["claim_no"], "decision_no": said["decision_no"], "code": code}
    assert [c["data"] for c in told if refused.items() <= c["data"].items()], told
    adjudicate(town, claim_id)
    assert town.status(claim_id) == "approved", "a right decision is still heard"


def test_no_bill_is_approved_beyond_what_the_patient_bore(town: Town) -> None:
    who = town.insured()
    configure(town.insurers["I1"], delay_s=3600.0)
    town.policy(who)
    claim_id = town.claim(who, [town.bill(who, (6_000, 4_000), fund_fen=3_000)])
    town.drain_all("claim.assemble", "claim.verify", "claim.deliver")
    adjudicate(town, claim_id)
    assert (town.status(claim_id), refusals(town, claim_id)) == ("adjudicating", ["over_approved"])


def test_another_insurer_decides_nothing(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    adjudicate(town, claim_id, code="I2")
    assert town.status(claim_id) == "adjudicating"
    assert town.dead() == [], "the other insurer is told (test_messages.py), and nobody has to replay it"


def test_a_forged_message_is_refused_at_the_door(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    body = {"type": "claim.adjudicated", "data": decision(town, claim_id)}
    assert town.agent("I1").post("/messages", body, secret="whsec_" + "Zm9y" * 8).status_code == 401
    town.drain_all("claim.adjudicated")
    assert town.status(claim_id) == "adjudicating"


def test_an_appeal_is_decided_by_a_decision_that_supersedes(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    lines = lines_of(town, claim_id)
    first = adjudicate(
        town, claim_id, outcome="partly", lines=[lines[0] | {"covered_fen": 0, "approved_fen": 0}, lines[1]]
    )
    unknown = {"lines": [{"clearing_no": lines[0]["clearing_no"], "line_no": 77}], "reason": "不同意"}
    assert who.post(f"/claims/{claim_id}/appeal", unknown).status_code == 422
    wanted = {"lines": [{"clearing_no": lines[0]["clearing_no"], "line_no": 1}], "reason": "医生开的药"}
    assert who.post(f"/claims/{claim_id}/appeal", wanted).get_json()["status"] == "appealed"
    assert who.post(f"/claims/{claim_id}/appeal", wanted).get_json()["code"] == "appealed_before"
    assert who.post(f"/claims/{claim_id}/accept").status_code == 409
    say(town, "claim.adjudicated", first)
    adjudicate(town, claim_id)
    assert (town.status(claim_id), refusals(town, claim_id)) == ("appealed", ["not_superseding"])
    adjudicate(town, claim_id, supersedes=first["decision_no"])
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["approved_fen"]) == ("approved", 10_000)
    assert [line["approved_fen"] for line in found["lines"]] == [6_000, 4_000]
    assert clearing_rows(town, claim_id) == [("pay", True, True, 10_000)]


def test_silence_accepts_what_is_approved_and_closes_what_is_rejected(town: Town) -> None:
    who = town.insured()
    approved, rejected = at_the_insurer(town, who), at_the_insurer(town, who)
    adjudicate(town, approved)
    nothing = [line | NOTHING for line in lines_of(town, rejected)]
    adjudicate(town, rejected, lines=nothing)
    town.drain_all("claim.silence", hurry=True)
    assert (town.status(approved), town.status(rejected)) == ("approved", "rejected"), "not before the time"
    with town.runtime.work() as work:
        for claim_id in (approved, rejected):
            work.later("claim.silence", claim_id)  # type: ignore[arg-type]
    town.rows("UPDATE claim SET accept_by = now() - interval '1 second' WHERE id IN (:a, :b)", a=approved, b=rejected)
    town.drain_all("claim.silence")
    assert (town.status(approved), town.status(rejected)) == ("accepted", "closed")


def test_accepting_and_withdrawing_at_once_is_one_of_both(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    said = decision(town, claim_id)
    deciding = Thread(lambda: say(town, "claim.adjudicated", said))
    withdrawing = Thread(lambda: who.post(f"/claims/{claim_id}/withdraw").status_code)
    deciding.result(), withdrawing.result()
    decided = town.value("SELECT count(*) FROM decision WHERE claim_id = :id", id=claim_id)
    assert (town.status(claim_id), decided) in (("withdrawn", 0), ("approved", 1))


def test_a_rejected_claim_is_not_accepted(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    adjudicate(town, claim_id, lines=[line | NOTHING for line in lines_of(town, claim_id)])
    assert who.post(f"/claims/{claim_id}/accept").status_code == 409
    assert town.insured("李四").post(f"/claims/{claim_id}/accept").status_code == 404
