"""Nothing goes to an insurer without the consents that are in force then, and every sharing has its receipt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.app.claim.kit import NEVER_S, at_the_insurer, journal, say
from tests.app.claim.test_documents import PAPER, ask
from tests.app.town import Insured, Town, configure

CLASSES = ("general", "health")
PAPERS = [PAPER | {"kind": "invoice"}, PAPER | {"kind": "report"}]


def withdraw(town: Town, who: Insured, claim_id: str, data_class: str) -> None:
    row = town.rows("SELECT consent_id, health_consent_id FROM claim WHERE id = :id", id=claim_id)[0]
    consent_id = row.consent_id if data_class == "general" else row.health_consent_id
    assert who.post(f"/consents/{consent_id}/withdraw").status_code == 200


def receipts(town: Town, claim_id: str) -> list[tuple[str, str, str]]:
    """(occasion, class, reference) of every receipt about a claim."""
    found = town.rows(
        "SELECT r.occasion, c.data_class, r.reference FROM consent_receipt r JOIN consent c ON c.id = r.consent_id"
        " WHERE r.subject_id = :id ORDER BY r.id",
        id=claim_id,
    )
    return [tuple(row) for row in found]


def number(town: Town, claim_id: str) -> str:
    return str(town.value("SELECT no FROM claim WHERE id = :id", id=claim_id))


def occasions(town: Town, claim_id: str) -> list[str]:
    return [occasion for occasion, data_class, _ in receipts(town, claim_id) if data_class == "health"]


def ask_for_documents(town: Town, claim_id: str) -> None:
    """The insurer asks, and its double knows that it has."""
    say(town, "claim.documents_requested", ask(town, claim_id))
    book = town.insurers["I1"].book
    book.save(book.case(number(town, claim_id)) | {"state": "documents", "documents_request_no": "R1"})


def sent(town: Town, path: str, claim_no: str) -> int:
    return len([entry for entry in journal(town, "I1", path) if claim_no in entry["path"] + entry["body"]])


def test_every_sharing_has_a_receipt_that_the_patient_can_read(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    ask_for_documents(town, claim_id)
    assert who.post(f"/claims/{claim_id}/documents", {"documents": PAPERS}).status_code == 200
    town.drain_all("claim.send_documents")
    no = number(town, claim_id)
    say(town, "claim.export_asked", {"claim_no": no, "format": "package"})
    assert occasions(town, claim_id) == ["eligibility", "package", "package_version", "export"]
    consents = {one["data_class"]: one for one in who.get("/consents")["consents"]}
    told = [one["in_words"] for one in consents["health"]["receipts"]]
    words = ["核验保单", "提交理赔资料", "提交更新的理赔资料和补充材料", "再次提供理赔资料"]
    for text, word in zip(told, words, strict=True):
        assert word in text and no in text and "甲保险" in text and "诊断" in text and who.name not in text
    assert [one["about_no"] for one in consents["general"]["receipts"]] == [no] * 4
    assert "理赔申请书" not in consents["general"]["receipts"][0]["in_words"], (
        "the question holds less than the package"
    )
    assert not town.dead()


def test_a_sharing_that_is_tried_again_has_one_receipt(town: Town) -> None:
    who = town.insured()
    town.policy(who)
    configure(town.insurers["I1"], delay_s=NEVER_S)
    claim_id = town.claim(who, [town.bill(who)])
    town.insurers["I1"].fail("/v1/eligibility", status=503)
    town.insurers["I1"].fail("/v1/claims$", drop="after")
    for kind in ("claim.assemble", "claim.verify", "claim.verify", "claim.deliver", "claim.deliver"):
        town.drain_all(kind, hurry=True)
    assert town.status(claim_id) == "adjudicating"
    assert receipts(town, claim_id) == [
        ("eligibility", "general", ""), ("eligibility", "health", ""),
        ("package", "general", "1"), ("package", "health", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize("data_class", CLASSES)
def test_one_consent_withdrawn_before_the_question_and_nothing_is_asked(town: Town, data_class: str) -> None:
    who = town.insured()
    town.policy(who)
    claim_id = town.claim(who, [town.bill(who)])
    town.drain_all("claim.assemble")
    before = len(journal(town, "I1", "/v1/eligibility"))
    withdraw(town, who, claim_id, data_class)
    town.drain_all("claim.verify")
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("withdrawn", "consent_withdrawn")
    assert len(journal(town, "I1", "/v1/eligibility")) == before and receipts(town, claim_id) == []


@pytest.mark.parametrize("data_class", CLASSES)
def test_one_consent_withdrawn_before_sealing_and_no_package_goes_out(town: Town, data_class: str) -> None:
    who = town.insured()
    town.policy(who)
    claim_id = town.claim(who, [town.bill(who)])
    town.drain_all("claim.assemble", "claim.verify")
    withdraw(town, who, claim_id, data_class)
    town.drain_all("claim.deliver", "claim.consent_withdrawn")
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("withdrawn", "consent_withdrawn")
    assert sent(town, "/v1/claims", number(town, claim_id)) == 0
    assert occasions(town, claim_id) == ["eligibility"] and not town.dead()


def test_a_sealed_package_that_never_left_stays_here_after_a_withdrawal(town: Town) -> None:
    who, other = town.insured(), town.insured("李四")
    for one in (who, other):
        town.policy(one)
    claim_id, taken_back = town.claim(who, [town.bill(who)]), town.claim(other, [town.bill(other)])
    town.drain_all("claim.assemble", "claim.verify")
    at = town.value("SELECT config ->> 'url' FROM party WHERE code = 'I1'")
    move = "UPDATE party SET config = config || jsonb_build_object('url', CAST(:url AS text)) WHERE code = 'I1'"
    town.rows(move, url="http://127.0.0.1:9")
    town.drain_all("claim.deliver")
    assert (town.status(claim_id), town.status(taken_back)) == ("delivering", "delivering")
    withdraw(town, who, claim_id, "health")
    assert other.post(f"/claims/{taken_back}/withdraw").status_code == 200
    town.rows(move, url=at)
    town.drain_all("claim.consent_withdrawn")
    town.drain_all("claim.deliver", hurry=True)
    assert (town.status(claim_id), town.status(taken_back)) == ("withdrawn", "withdrawn")
    assert [sent(town, "/v1/claims", number(town, one)) for one in (claim_id, taken_back)] == [0, 0]
    assert not town.dead()


def test_a_consent_that_is_withdrawn_takes_waiting_claims_back_and_leaves_delivered_ones(town: Town) -> None:
    who = town.insured()
    delivered = at_the_insurer(town, who)
    waiting = town.claim(who, [town.bill(who, e_bill="")])
    withdraw(town, who, waiting, "health")
    town.drain_all("claim.assemble", "claim.consent_withdrawn")
    assert (town.status(delivered), town.status(waiting)) == ("adjudicating", "withdrawn")
    assert occasions(town, delivered) == ["eligibility", "package"]


@pytest.mark.parametrize("data_class", CLASSES)
def test_documents_are_not_taken_or_sent_without_consent_and_are_after_a_new_one(town: Town, data_class: str) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    no = number(town, claim_id)
    ask_for_documents(town, claim_id)
    withdraw(town, who, claim_id, data_class)
    refused = who.post(f"/claims/{claim_id}/documents", {"documents": PAPERS})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "no_consent")
    text = next(
        one for one in who.get("/consent-texts?recipient=I1&purpose=claim")["texts"] if one["data_class"] == data_class
    )
    again = {"person_id": str(who.person_id), "recipient": "I1", "purpose": "claim", "scope": text["scope"]}
    assert who.post("/consents", again).status_code == 201
    assert who.post(f"/claims/{claim_id}/documents", {"documents": PAPERS}).status_code == 200
    town.drain_all("claim.send_documents")
    assert sent(town, "/documents", no) == 1 and not town.dead()


def test_what_was_sent_to_us_before_the_withdrawal_stays_with_us(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    no = number(town, claim_id)
    ask_for_documents(town, claim_id)
    assert who.post(f"/claims/{claim_id}/documents", {"documents": PAPERS}).status_code == 200
    withdraw(town, who, claim_id, "health")
    town.drain_all("claim.send_documents", "claim.consent_withdrawn")
    assert sent(town, "/documents", no) == 0 and not town.dead()
    assert occasions(town, claim_id) == ["eligibility", "package"]


def test_an_insurer_does_not_get_the_package_again_after_a_withdrawal(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    withdraw(town, who, claim_id, "general")
    say(town, "claim.export_asked", {"claim_no": number(town, claim_id), "format": "fhir"})
    changes: Any = town.agent("I1").ok("/changes/poll", {"cursor": 0, "max": 200})["changes"]
    assert (changes[-1]["type"], changes[-1]["data"]["code"]) == ("message.refused", "no_consent")
    assert number(town, claim_id) not in json.dumps(changes[-1]) and not town.dead()


def test_the_package_names_both_consents(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    body = next(json.loads(e["body"]) for e in journal(town, "I1", "/v1/claims") if number(town, claim_id) in e["body"])
    given = body["package"]["parts"]["consent"]["given"]
    assert [one["data_class"] for one in given] == ["general", "health"]
    assert "diagnoses" in given[1]["scope"] and "diagnoses" not in given[0]["scope"]
