"""The e-bill authority is asked before the insurer: what it says of an e-bill, and what happens while it is silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.core.settings import Settings
from mock_partners.e_bill_authority.server import EBillAuthority
from mock_wechat.server import WeChat
from tests.app.claim.kit import NEVER_S, journal
from tests.app.town import Front, Insured, Town, configure, make_settings

KEY = "authority-key"


@pytest.fixture(scope="module")
def authority() -> Iterator[EBillAuthority]:
    with EBillAuthority({"key": KEY}) as double:
        yield double


@pytest.fixture(scope="module", name="settings")
def settings_with_authority(
    module_database_url: str, redis_url: str, wechat: WeChat, front: Front, authority: EBillAuthority
) -> Settings:
    made = make_settings(module_database_url, redis_url, wechat, front)
    return made.model_copy(update={"e_bill_authority_url": authority.url, "e_bill_authority_key": KEY})


@pytest.fixture(autouse=True)
def quiet(authority: EBillAuthority) -> Iterator[None]:
    yield
    authority.faults.clear()


def known(town: Town, authority: EBillAuthority, bill_id: UUID, **other: Any) -> None:
    """The bill's e-bill stands in the authority's books, with some of it otherwise."""
    row = town.rows("SELECT code, number, check_code, issued_on FROM e_bill WHERE bill_id = :id", id=bill_id)[0]
    entry = {"code": row.code, "number": row.number, "check_code": row.check_code}
    authority.enter(entry | {"issued_on": row.issued_on.isoformat(), "reversed": False} | other)


def submitted(town: Town, who: Insured, *bills: UUID) -> str:
    town.policy(who)
    configure(town.insurers["I1"], delay_s=NEVER_S)
    claim_id = town.claim(who, bills)
    town.drain_all("claim.assemble")
    return claim_id


def asked(authority: EBillAuthority) -> int:
    return len([entry for entry in authority.journal if entry["path"] == "/v1/e-bills/verify"])


def test_the_authority_is_asked_about_every_e_bill_before_the_insurer(town: Town, authority: EBillAuthority) -> None:
    who = town.insured()
    bills = [town.bill(who) for _ in range(2)]
    for bill_id in bills:
        known(town, authority, bill_id)
    before = asked(authority)
    claim_id = submitted(town, who, *bills)
    town.drain_all("claim.verify", "claim.deliver")
    assert town.status(claim_id) == "adjudicating" and asked(authority) == before + 2
    last_of_authority = authority.journal[-1]["at"]
    assert last_of_authority < journal(town, "I1", "/v1/eligibility")[-1]["at"]


@pytest.mark.parametrize(
    ("other", "code", "word"),
    [
        ({"reversed": True}, "e_bill_reversed", "红冲"),
        ({"number": "elsewhere"}, "e_bill_unknown", "没有查到"),
        ({"check_code": "zzz999"}, "e_bill_check_code_wrong", "校验码"),
    ],
)
def test_an_e_bill_that_the_authority_does_not_stand_by_ends_the_claim(
    town: Town, authority: EBillAuthority, other: dict[str, Any], code: str, word: str
) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    known(town, authority, bill_id, **other)
    claim_id = submitted(town, who, bill_id)
    before = len(journal(town, "I1", "/v1/eligibility"))
    town.drain_all("claim.verify")
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", code)
    assert word in found["reasons"][0]["text"] and not town.dead()
    assert len(journal(town, "I1", "/v1/eligibility")) == before, "the insurer learns nothing of it"
    assert town.value("SELECT count(*) FROM consent_receipt WHERE subject_id = :id", id=claim_id) == 0
    known(town, authority, bill_id)
    again = town.claim(who, [bill_id])
    town.drain_all("claim.assemble", "claim.verify")
    assert town.status(again) == "verified", "what was mended there is asked anew"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 401, "body": {"code": "key_invalid"}},
        {"drop": "before"},
        {"status": 200, "body": {"status": "?"}},
    ],
)
def test_while_the_authority_is_silent_the_claim_waits_and_says_so(
    town: Town, authority: EBillAuthority, fault: dict[str, Any]
) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    known(town, authority, bill_id)
    claim_id = submitted(town, who, bill_id)
    authority.fail("/verify$", times=-1, **fault)
    waits = []
    for _ in range(14):  # more often than a failure would be tried
        town.drain_all("claim.verify", hurry=True)
        waits.append(who.get(f"/claims/{claim_id}")["waiting"])
    assert waits[0]["code"] == "e_bill_authority_silent" and "没有答复" in waits[0]["text"]
    assert waits == [waits[0]] * 14, "since the first time"
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["holder"]) == ("verifying", "platform") and not town.dead()
    authority.faults.clear()
    town.drain_all("claim.verify", hurry=True)
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["waiting"]) == ("verified", None)


def test_a_claim_withdrawn_while_the_authority_is_silent_is_asked_about_no_more(
    town: Town, authority: EBillAuthority
) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    known(town, authority, bill_id)
    claim_id = submitted(town, who, bill_id)
    authority.fail("/verify$", times=1, status=503)
    town.drain_all("claim.verify")
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    before = asked(authority)
    town.drain_all("claim.verify", hurry=True)
    assert (town.status(claim_id), asked(authority)) == ("withdrawn", before) and not town.dead()
    assert who.get(f"/claims/{claim_id}")["waiting"] is None


def test_a_good_answer_is_believed_for_a_day(town: Town, authority: EBillAuthority) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    known(town, authority, bill_id)
    first = submitted(town, who, bill_id)
    town.drain_all("claim.verify")
    assert who.post(f"/claims/{first}/withdraw").status_code == 200
    before = asked(authority)
    second = submitted(town, who, bill_id)
    town.drain_all("claim.verify")
    assert (town.status(second), asked(authority)) == ("verified", before)
    assert who.post(f"/claims/{second}/withdraw").status_code == 200
    town.rows("UPDATE e_bill_check SET asked_at = asked_at - interval '25 hours'")
    known(town, authority, bill_id, reversed=True)
    third = submitted(town, who, bill_id)
    town.drain_all("claim.verify")
    assert (town.status(third), asked(authority)) == ("ineligible", before + 1)


def test_a_question_that_the_authority_refuses_waits_for_somebody_to_mend_it(
    town: Town, authority: EBillAuthority
) -> None:
    who = town.insured()
    bill_id = town.bill(who)
    known(town, authority, bill_id)
    claim_id = submitted(town, who, bill_id)
    authority.fail("/verify$", status=422, body={"code": "malformed"})
    town.drain_all("claim.verify")
    assert town.dead() == [("claim.verify", "PartnerFault: e_bill_authority: malformed")]
    assert who.get(f"/claims/{claim_id}")["waiting"]["code"] == "e_bill_authority_silent"
