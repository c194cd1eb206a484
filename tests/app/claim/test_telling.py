"""After a consent was taken back the insurer learns nothing new of the patient, whatever it is still told."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from app.claim import consents, rules
from tests.app.claim.kit import at_the_insurer, decide, declined, journal, lines_of
from tests.app.claim.test_consents import CLASSES, number, occasions, receipts, withdraw
from tests.app.town import Insured, Town, as_row, e_bill_row

REASON = "我患有慢性肾炎，医嘱如此"
CARRYING_OUT = ("acceptance", "payout", "recovery", "withdrawal")


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def told(town: Town, claim_id: str, what: str) -> list[dict[str, Any]]:
    entries = journal(town, "I1", f"/{number(town, claim_id)}/{what}")
    return [json.loads(entry["body"]) for entry in entries]


def take_all_back(town: Town, who: Insured, claim_id: str) -> None:
    for data_class in CLASSES:
        withdraw(town, who, claim_id, data_class)
    town.drain_all("claim.consent_withdrawn")


def carry_out(town: Town, who: Insured, claim_id: str, what: str) -> None:
    """Until the insurer is told of it, all of it without any consent."""
    if what == "withdrawal":
        assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    else:
        decide(town, claim_id)
        assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    if what == "recovery":
        bill_id: UUID = town.value("SELECT bill_id FROM claim_bill WHERE claim_id = :id AND kind = 'pay'", id=claim_id)
        town.push([as_row(e_bill_row(town.key_of(bill_id), "reversed"), 2)])
        town.settle_down()


@pytest.mark.parametrize("what", CARRYING_OUT)
def test_a_claim_that_the_insurer_has_is_carried_out_and_nothing_new_is_said_of_the_patient(
    town: Town, who: Insured, what: str
) -> None:
    claim_id = at_the_insurer(town, who)
    before = receipts(town, claim_id)
    take_all_back(town, who, claim_id)
    carry_out(town, who, claim_id, what)
    bodies = told(town, claim_id, what)
    assert bodies and consents.MESSAGES[what].news == ()
    for body in bodies:
        assert set(body) <= consents.MESSAGES[what].members
        text = json.dumps(body, ensure_ascii=False)
        assert who.name not in text and str(who.person_id) not in text and "肺炎" not in text
    assert receipts(town, claim_id) == before and not town.dead()


def test_every_kind_of_message_is_one_or_the_other(town: Town) -> None:
    """`documents` stands in test_consents, `appeal` below."""
    with_news = {what for what, message in consents.MESSAGES.items() if message.news}
    assert with_news == {"documents", "appeal"} and set(consents.MESSAGES) - with_news == set(CARRYING_OUT)


@pytest.mark.parametrize(
    ("what", "body"), [("acceptance", {"name": "x"}), ("payout", {"diagnosis": "x"}), ("withdrawal", {"reason": "x"})]
)
def test_a_message_that_would_tell_more_than_its_kind_is_not_sent(what: str, body: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        consents.require_declared(what, body)
    with pytest.raises(KeyError):
        consents.require_declared("gossip", {})


def to_appeal(town: Town, who: Insured) -> tuple[str, dict[str, Any]]:
    claim_id = at_the_insurer(town, who)
    first, second = lines_of(town, claim_id)
    decide(town, claim_id, outcome="partly", lines=[declined(first), second])
    return claim_id, {"lines": [{name: first[name] for name in ("clearing_no", "line_no")}], "reason": REASON}


@pytest.mark.parametrize("data_class", CLASSES)
def test_an_appeal_says_more_of_the_patient_and_needs_consent(town: Town, who: Insured, data_class: str) -> None:
    claim_id, wanted = to_appeal(town, who)
    withdraw(town, who, claim_id, data_class)
    refused = who.post(f"/claims/{claim_id}/appeal", wanted)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "no_consent")
    assert town.status(claim_id) == "approved"


def test_the_reason_of_an_appeal_has_a_receipt_and_is_withheld_after_the_withdrawal(town: Town, who: Insured) -> None:
    claim_id, wanted = to_appeal(town, who)
    assert who.post(f"/claims/{claim_id}/appeal", wanted).status_code == 200
    withdraw(town, who, claim_id, "health")
    town.drain_all("claim.tell_appeal")
    assert told(town, claim_id, "appeal") == [wanted | {"reason": rules.WITHHELD}]
    assert "appeal" not in occasions(town, claim_id) and not town.dead()


def test_what_may_have_gone_out_before_is_repeated_as_it_was(town: Town, who: Insured) -> None:
    claim_id, wanted = to_appeal(town, who)
    assert who.post(f"/claims/{claim_id}/appeal", wanted).status_code == 200
    town.insurers["I1"].fail("/appeal$", drop="after")
    town.drain_all("claim.tell_appeal")
    withdraw(town, who, claim_id, "health")
    town.drain_all("claim.tell_appeal", hurry=True)
    assert told(town, claim_id, "appeal") == [wanted, wanted]
    assert occasions(town, claim_id)[-1] == "appeal" and not town.dead()
