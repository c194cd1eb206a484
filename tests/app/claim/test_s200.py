"""A claim at an insurer that speaks the S200 dialect: uploaded by the hundred, asked after, explained, accepted."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from app.claim import asking
from app.claim.contracts.partners import DocumentsRequestedIn
from app.core.errors import Invalid
from app.core.work import Runtime, Work
from app.exchange import service as exchange
from app.gateways import Gateways
from mock_partners.insurer_s200.server import InsurerS200
from tests.app.claim.kit import NEVER_S, booked, clearing_rows, guards
from tests.app.claim.test_amendment import amend, money, outcomes
from tests.app.payout.test_recovering import bills_of, recovery, reverse
from tests.app.town import Front, Insured, Partners, Town, configure, peopled

STEPS = ("claim.assemble", "claim.verify", "claim.deliver")
POLL_S = 0.02


@pytest.fixture(scope="module", name="partners")
def s200_partners(runtime: Runtime, client: FlaskClient, front: Front) -> Iterator[Partners]:
    with peopled(runtime, client, front, {"I2": {"dialect": "s200", "poll_s": POLL_S}}) as here:
        yield here


def trades(town: Town) -> Counter[str]:
    """How many messages of each type had their effect at the insurer."""
    return Counter(trade["type"] for trade in town.insurers["I2"].memory.load("trades").values())


def delivered(town: Town, who: Insured, *amounts: int, **terms: Any) -> str:
    """A claim that the insurer has, and does not decide."""
    configure(town.insurers["I2"], delay_s=NEVER_S)
    town.policy(who, "I2", **terms)
    claim_id = town.claim(who, [town.bill(who, amounts or (6_000, 4_000))], "I2")
    town.drain_all(*STEPS)
    assert town.status(claim_id) == "adjudicating"
    return claim_id


def decided(town: Town, claim_id: str, *status: str) -> None:
    town.until(lambda: town.status(claim_id) in (status or ("approved", "rejected")))


def test_a_claim_of_250_fee_rows_and_returns_goes_all_the_way(town: Town) -> None:
    who = town.insured()
    policy_no = town.policy(who, "I2", deductible_fen=1_000)
    amounts = [(number % 97 + 1) * 10 for number in range(247)] + [-300, 500, -120]
    total = sum(amounts)
    before = trades(town)
    claim_id = town.claim(who, [town.bill(who, amounts, fund_fen=2_000)], "I2")
    decided(town, claim_id)
    assert not town.dead()
    sent = trades(town) - before
    assert {kind: sent[kind] for kind in ("S200", "S210", "S250", "S290", "S291", "S340")} == {
        "S200": 1, "S210": 1, "S250": 3, "S290": 1, "S291": 1, "S340": 1}  # fmt: skip
    found = who.get(f"/claims/{claim_id}")
    expected = round((total - 2_000 - 1_000) * 0.9 + 1e-9)
    assert (found["status"], found["policy_no"], found["approved_fen"]) == ("approved", policy_no, expected)
    assert found["case_no"].startswith("I2") and found["case_no"] == case_of(town, claim_id)["case_no"]
    assert [line["billed_fen"] for line in found["lines"]] == amounts
    assert sum(line["approved_fen"] for line in found["lines"]) == expected
    assert {line["approved_fen"] for line in found["lines"] if line["billed_fen"] < 0} == {0}
    assert "免赔额 10.00 元" in found["lines"][0]["in_words"] and "剩余保额" in found["lines"][0]["in_words"]
    assert booked(town, claim_id, "I2") == [("pay", total - 2_000)]
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"]) == ("paid", expected)
    case = case_of(town, claim_id)
    assert case["state"] == "accepted"
    assert [(one["amount_fen"], one["status"]) for one in case["payouts"].values()] == [(expected, "succeeded")]
    assert not town.dead()


def case_of(town: Town, claim_id: str) -> dict[str, Any]:
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    found: dict[str, Any] = town.insurers["I2"].book.case(no)
    return found


def lose(town: Town, kind: str, **how: Any) -> None:
    """The next message of this type meets a fault at the insurer."""
    town.insurers["I2"].fail("/s200$", contains=f'"businessType":"{kind}"', **how)


@pytest.mark.parametrize("kind", ["S210", "S250", "S291", "S340", "S300"])
def test_a_lost_answer_is_the_same_message_again(town: Town, kind: str) -> None:
    who = town.insured()
    town.policy(who, "I2")
    configure(town.insurers["I2"], delay_s=NEVER_S)
    claim_id = town.claim(who, [town.bill(who, [100] * 120)], "I2")
    before = trades(town)
    lose(town, kind, drop="after")
    town.drain_all(*STEPS)
    assert (town.status(claim_id), clearing_rows(town, claim_id)) == ("delivering", [("pay", True, False, None)])
    town.drain_all("claim.deliver", hurry=True)
    assert town.status(claim_id) == "adjudicating"
    sent = trades(town) - before
    assert (sent["S210"], sent["S250"], sent["S291"], sent["S340"], sent["S300"]) == (1, 2, 1, 1, 1)
    assert booked(town, claim_id, "I2") == [("pay", 12_000)]


@pytest.mark.parametrize("kind", ["S210", "S250", "S290", "S291", "S300"])
@pytest.mark.parametrize("code", ["2001", "3005"])
def test_what_is_refused_for_good_leaves_no_file_open_and_stands_in_nobodys_books(
    town: Town, kind: str, code: str
) -> None:
    who = town.insured()
    town.policy(who, "I2")
    claim_id = town.claim(who, [town.bill(who)], "I2")
    town.drain_all("claim.assemble", "claim.verify")
    double = town.insurers["I2"]
    assert isinstance(double, InsurerS200)
    double.refuse_next(kind, code)
    town.drain_all("claim.deliver")
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == (
        "ineligible", {"2001": "malformed", "3005": "amounts_differ"}[code])  # fmt: skip
    number = found["bills"][0]["clearing_no"]
    assert town.insurers["I2"].memory.load("visits").get(number, {"state": "cancelled"})["state"] == "cancelled"
    assert clearing_rows(town, claim_id) == [("pay", False, False, None)] and guards(town, claim_id) == 0
    assert booked(town, claim_id, "I2") == [] and not town.dead()


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"drop": "before"}, {"status": 200, "body": {"head": {"resultCode": "0000"}}}]
)
def test_an_insurer_that_fails_for_a_while_is_asked_again_as_long_as_it_takes(
    town: Town, fault: dict[str, Any]
) -> None:
    who = town.insured()
    claim_id = delivered(town, who)
    configure(town.insurers["I2"])
    town.insurers["I2"].book.to_adjuster(case_of(town, claim_id))
    lose(town, "S300", times=15, **fault)
    decided(town, claim_id)
    assert town.status(claim_id) == "approved" and not town.dead()


def test_a_decision_that_does_not_hold_is_objected_to_once(town: Town) -> None:
    who = town.insured()
    claim_id = delivered(town, who)
    case, book = case_of(town, claim_id), town.insurers["I2"].book
    book.agenda.cancel(case["claim_no"])
    number = who.get(f"/claims/{claim_id}")["bills"][0]["clearing_no"]
    line = {"clearing_no": number, "covered_fen": 0, "deductible_fen": 0, "approved_fen": 10_000, "reasons": []}
    wrong = {"decision_no": "D1", "outcome": "approved", "lines": [line], "approved_fen": 9_000}
    book.save(case | {"state": "decided", "decisions": [wrong]})
    objections = "SELECT count(*) FROM audit_entry WHERE action = 'claim.decision_refused' AND subject_id = :id"
    town.until(lambda: town.value(objections, id=claim_id))
    asked = trades(town)["S300"]
    town.until(lambda: trades(town)["S300"] > asked + 2)
    assert (town.status(claim_id), town.value(objections, id=claim_id)) == ("adjudicating", 1)
    book.save(case | {"state": "decided", "decisions": [wrong | {"approved_fen": 10_000}]})
    decided(town, claim_id)
    assert who.get(f"/claims/{claim_id}")["approved_fen"] == 10_000


def test_a_decision_is_revised_until_it_is_accepted_also_back_to_what_it_was(town: Town) -> None:
    who = town.insured()
    claim_id = delivered(town, who)
    case, book = case_of(town, claim_id), town.insurers["I2"].book
    book.agenda.cancel(case["claim_no"])
    number = who.get(f"/claims/{claim_id}")["bills"][0]["clearing_no"]
    for approved_fen in (10_000, 8_000, 10_000, 9_000):
        line = {"clearing_no": number, "covered_fen": approved_fen, "deductible_fen": 0,
                "approved_fen": approved_fen, "reasons": []}  # fmt: skip
        made = {"decision_no": "D1", "outcome": "partly", "lines": [line], "approved_fen": approved_fen}
        book.save(case | {"state": "decided", "decisions": [made]})
        town.until(partial(is_approved, who, claim_id, approved_fen))
    assert town.value("SELECT count(*) FROM decision WHERE claim_id = :id", id=claim_id) == 4
    read = {"decision_no": who.get(f"/claims/{claim_id}")["decision_no"]}
    assert who.post(f"/claims/{claim_id}/accept", read).status_code == 200
    town.settle_down()
    assert (who.get(f"/claims/{claim_id}")["paid_fen"], town.dead()) == (9_000, [])
    town.drain_all("claim.follow", hurry=True)
    assert town.value("SELECT count(*) FROM task WHERE kind = 'claim.follow' AND subject = :id", id=claim_id) == 0


def is_approved(who: Insured, claim_id: str, approved_fen: int) -> bool:
    return bool(who.get(f"/claims/{claim_id}")["approved_fen"] == approved_fen)


def test_documents_are_asked_for_sent_file_by_file_and_the_claim_decided(town: Town) -> None:
    who = town.insured()
    kinds = {"invoice": "发票原件", "report": "检查报告"}
    town.policy(who, "I2", asks_documents=[{"kind": kind, "text": text} for kind, text in kinds.items()])
    claim_id = town.claim(who, [town.bill(who)], "I2")
    decided(town, claim_id, "needs_documents")
    [request] = who.get(f"/claims/{claim_id}")["document_requests"]
    assert {item["kind"]: item["text"] for item in request["items"]} == kinds and request["deadline"] is not None
    papers = [
        {"kind": kind, "title": text, "media_type": "application/pdf", "content_base64": "JVBERi0xLjQgaGVsbG8="}
        for kind, text in kinds.items()
    ]
    assert who.post(f"/claims/{claim_id}/documents", {"documents": papers}).status_code == 200
    lose(town, "S340", drop="after")
    town.drain_all("claim.send_documents")
    assert len(case_of(town, claim_id)["documents"]) == 1
    town.drain_all("claim.send_documents", hurry=True)
    decided(town, claim_id)
    assert [document["kind"] for document in case_of(town, claim_id)["documents"]] == list(kinds)
    assert len(who.get(f"/claims/{claim_id}")["document_requests"]) == 1 and not town.dead()


def test_what_the_patient_sends_with_the_claim_is_there_when_it_is_applied_for(town: Town) -> None:
    who = town.insured()
    configure(town.insurers["I2"], delay_s=NEVER_S)
    town.policy(who, "I2")
    contents = {"invoice": b"%PDF-1.4 invoice", "report": b"%PDF-1.4 report"}
    papers = [
        {"kind": kind, "title": kind, "media_type": "application/pdf", "content_base64": b64encode(content).decode()}
        for kind, content in contents.items()
    ]
    claim_id = town.claim(who, [town.bill(who), town.bill(who, [3_000])], "I2", documents=papers)
    before = trades(town)
    lose(town, "S340", drop="after")
    town.drain_all(*STEPS)
    town.drain_all("claim.deliver", hurry=True)
    assert town.status(claim_id) == "adjudicating" and not town.dead()
    case = case_of(town, claim_id)
    assert [(paper["kind"], paper["sha256"], paper["bytes"]) for paper in case["papers"]] == [
        (kind, sha256(content).hexdigest(), len(content)) for kind, content in contents.items()
    ]
    assert case["documents"] == [], "nothing was asked for"
    assert (trades(town) - before)["S340"] == 2 + 2, "a record of each visit, and each file"
    read = "SELECT count(*) FROM audit_entry e JOIN claim_document d ON d.id = e.subject_id WHERE d.claim_id = :id"
    assert town.value(f"{read} AND action = 'read.claim_document.content_sealed'", id=claim_id) >= 2


def test_news_that_a_rule_refuses_stands_in_the_insurers_feed_and_is_not_heard_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(work: Work, insurer_id: UUID, said: DocumentsRequestedIn) -> None:
        raise Invalid("second_request", "材料只能一次性要求")

    monkeypatch.setitem(asking.HEARD, "claim.documents_requested", (DocumentsRequestedIn, too_many))
    who = town.insured()
    town.policy(who, "I2", asks_documents=True)
    claim_id = town.claim(who, [town.bill(who)], "I2")
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    town.until(lambda: refused_news(town, no))
    asked = trades(town)["S300"]
    town.until(lambda: trades(town)["S300"] > asked + 2)
    [refused] = refused_news(town, no)
    assert (refused["type"], refused["code"]) == ("claim.documents_requested", "second_request")
    assert town.status(claim_id) == "adjudicating" and not town.dead()


def refused_news(town: Town, claim_no: str) -> list[dict[str, Any]]:
    found = town.agent("I2").ok("/changes/poll", {"cursor": 0, "max": 200, "wait_ms": 0})["changes"]
    return [c["data"] for c in found if c["type"] == "claim.news_refused" and c["data"]["claim_no"] == claim_no]


def test_two_bills_withdrawn_are_reversed_in_all_books(town: Town) -> None:
    who = town.insured()
    configure(town.insurers["I2"], delay_s=NEVER_S)
    town.policy(who, "I2")
    claim_id = town.claim(who, [town.bill(who), town.bill(who, [3_000])], "I2")
    town.drain_all(*STEPS)
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    lose(town, "S240", drop="after")
    town.drain_all("claim.tell_withdrawal")
    town.drain_all("claim.tell_withdrawal", hurry=True)
    assert sorted(booked(town, claim_id, "I2")) == [
        ("pay", 3_000), ("pay", 10_000), ("reverse", 3_000), ("reverse", 10_000)]  # fmt: skip
    assert [row[:3] for row in clearing_rows(town, claim_id)] == [
        *[("pay", False, True)] * 2, *[("reverse", False, True)] * 2]  # fmt: skip
    town.drain_all("claim.follow", hurry=True)
    assert town.value("SELECT count(*) FROM task WHERE kind = 'claim.follow' AND subject = :id", id=claim_id) == 0
    assert case_of(town, claim_id)["state"] == "withdrawn" and not town.dead()


def test_a_decision_that_was_faster_than_the_withdrawal_leaves_the_books_as_they_are(town: Town) -> None:
    who = town.insured()
    claim_id = delivered(town, who)
    book = town.insurers["I2"].book
    book.save(case_of(town, claim_id) | {"state": "decided"})
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    town.drain_all("claim.tell_withdrawal")
    assert not town.dead() and booked(town, claim_id, "I2") == [("pay", 10_000)]
    assert [row[:3] for row in clearing_rows(town, claim_id)] == [("pay", False, True), ("reverse", False, False)]


@pytest.mark.parametrize(("outcome", "status"), [("", "open"), ("repaid", "repaid")])
def test_what_must_come_back_is_told_booked_and_ended_by_the_insurers_word(
    town: Town, outcome: str, status: str
) -> None:
    who = town.insured()
    town.policy(who, "I2")
    configure(town.insurers["I2"], recovery_outcome=outcome)
    claim_id = town.claim(who, [town.bill(who)], "I2")
    decided(town, claim_id)
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    reverse(town, bills_of(town, claim_id)[0])
    town.settle_down()
    found = recovery(town, claim_id)
    assert (found["status"], found["due_fen"]) == (status, 9_000)
    assert case_of(town, claim_id)["recoveries"][found["recovery_no"]]["due_fen"] == 9_000
    assert booked(town, claim_id, "I2") == [("pay", 10_000), ("reverse", 10_000)]
    assert [row[:3] for row in clearing_rows(town, claim_id)] == [("pay", False, True), ("reverse", False, True)]
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    changes = town.agent("I2").ok("/changes/poll", {"cursor": 0, "max": 200, "wait_ms": 0})["changes"]
    told = [c["data"]["due_fen"] for c in changes if c["type"] == "claim.recovery" and c["data"]["claim_no"] == no]
    assert told and told[-1] == 9_000
    commands = [c["body"] for c in town.commands("H1", "clearing")]
    assert [c["kind"] for c in commands if c["clearing_no"] == found["recovery_no"]] == ["reverse"]
    assert not town.dead()


def test_a_bill_that_is_amended_lowers_its_share_of_what_was_paid_for_it(town: Town) -> None:
    """The dialect pays bills and knows no lines: what was paid for a bill was spread by what each line was billed, and
    so it goes. 10,000 at 0.9 were paid; of 7,000 the insurer would have paid 6,300."""
    who = town.insured()
    town.policy(who, "I2")
    configure(town.insurers["I2"], recovery_outcome="")
    claim_id = town.claim(who, [town.bill(who, (6_000, 4_000))], "I2")
    decided(town, claim_id)
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    amend(town, who, claim_id, 6_000, 1_000)
    amend(town, who, claim_id, 6_000, 1_000)
    town.settle_down()
    assert outcomes(town, claim_id) == [("bill_amended", "open", 2_700, 2_700, 2_700)]
    [told] = case_of(town, claim_id)["recoveries"].values()
    assert (told["reason"], told["lost_fen"], told["due_fen"]) == ("bill_amended", 2_700, 2_700)
    assert booked(town, claim_id, "I2") == [("pay", 10_000)]
    assert who.get(f"/claims/{claim_id}")["payable_fen"] == 6_300 and not town.dead()


def test_amended_while_it_is_asked_after_the_decision_is_read_on_what_was_uploaded(town: Town) -> None:
    who = town.insured()
    claim_id = delivered(town, who)
    amend(town, who, claim_id, 6_000, 1_000)
    case = case_of(town, claim_id)
    configure(town.insurers["I2"], delay_s=0.0)
    town.insurers["I2"].book.to_adjuster(case)
    decided(town, claim_id)
    assert money(town, claim_id) == (9_000, 2_700, 0)
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    assert (who.get(f"/claims/{claim_id}")["paid_fen"], town.dead()) == (6_300, [])


def test_an_appeal_is_refused_at_the_door_and_the_result_can_still_be_accepted(town: Town) -> None:
    who = town.insured()
    town.policy(who, "I2", doubts_largest=True)
    claim_id = town.claim(who, [town.bill(who, (6_000, 4_000))], "I2")
    decided(town, claim_id)
    found = who.get(f"/claims/{claim_id}")
    assert found["approved_fen"] == 3_600 and "医疗必要性" in found["lines"][0]["in_words"]
    refused = who.post(f"/claims/{claim_id}/appeal", {"reason": "医嘱", "lines": []})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "appeal_not_offered")
    assert town.insured("李四").post(f"/claims/{claim_id}/appeal", {"reason": "医嘱", "lines": []}).status_code == 404
    assert who.post(f"/claims/{claim_id}/accept").get_json()["status"] == "accepted"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (None, "not_insured"),
        ({"valid_from": "2020-01-01", "valid_to": "2020-12-31"}, "outside_cover"),
    ],
)
def test_who_is_not_covered_learns_it_before_anything_is_shared(
    town: Town, terms: dict[str, str] | None, code: str
) -> None:
    who = town.insured()
    if terms is not None:
        town.policy(who, "I2", **terms)
    before = trades(town)["S210"]
    claim_id = town.claim(who, [town.bill(who)], "I2")
    town.drain_all(*STEPS)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", code)
    assert trades(town)["S210"] == before


def test_a_claim_that_is_rejected_says_why(town: Town) -> None:
    who = town.insured()
    town.policy(who, "I2", rejects=True)
    claim_id = town.claim(who, [town.bill(who)], "I2")
    decided(town, claim_id)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["approved_fen"]) == ("rejected", 0)
    assert "等待期" in found["lines"][0]["in_words"]


def test_a_case_that_the_insurer_ended_by_itself_waits_for_a_person(town: Town) -> None:
    who = town.insured()
    claim_id = delivered(town, who)
    town.insurers["I2"].book.save(case_of(town, claim_id) | {"state": "withdrawn"})
    town.drain_all("claim.follow", hurry=True)
    assert town.dead() == [("claim.follow", "PartnerFault: insurer: case_cancelled")]
    assert town.status(claim_id) == "adjudicating"


def test_the_insurers_book_of_the_day_has_the_row_for_the_night(town: Town, gateways: Gateways) -> None:
    claim_id = delivered(town, town.insured())
    number = town.value("SELECT clearing_no FROM claim_bill WHERE claim_id = :id", id=claim_id)
    day = town.value("SELECT business_date FROM claim WHERE id = :id", id=claim_id)
    with town.runtime.read() as session:
        insurer_id = exchange.party_by_code(session, "I2").id
        at = exchange.endpoint(session, town.runtime.privacy, insurer_id)
    rows = gateways.insurer.ledger(at, "ledger-1", day).decode().splitlines()
    assert [row.rpartition(",")[0] for row in rows if row.startswith(number)] == [f"{number},pay,,10000,booked"]
