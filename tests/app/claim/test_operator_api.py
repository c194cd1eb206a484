"""Claims found by any number; people of an insurer or a hospital see their own only."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from app.exchange import service as exchange
from app.identity.operators.models import Operator, OperatorRole, OperatorSession
from app.identity.operators.rules import DUTIES
from app.identity.session import service as sessions
from tests.app.claim.kit import at_the_insurer, decide
from tests.app.town import Town, as_row, e_bill_row


def headers(town: Town, party: str | None, role: str = "claims") -> dict[str, str]:
    """The headers of a new operator who is logged in."""
    with town.runtime.work() as work:
        party_id = None if party is None else exchange.party_by_code(work.session, party).id
        duty = DUTIES[role]
        row = Operator(login=uuid.uuid4().hex, party_id=party_id, duty=duty, password_hash="", totp_sealed="")
        work.add(row)
        work.session.flush()
        work.add(OperatorRole(operator_id=row.id, role=role, duty=duty))
        session = OperatorSession(operator_id=row.id, expires_at=work.now + timedelta(hours=1))
        pair = sessions.begin(work, "operator", session)
    return {"Authorization": f"Bearer {pair.access_token}"}


def ask(town: Town, path: str, who: dict[str, str], **query: str) -> Any:
    return town.clinic.client.get(f"/api/v1/operator{path}", query_string=query, headers=who)


@pytest.fixture
def claim_id(town: Town) -> str:
    return at_the_insurer(town, town.insured())


def test_a_claim_is_found_by_every_number_it_has(town: Town, claim_id: str) -> None:
    found = "SELECT no, case_no FROM claim WHERE id = :id"
    no, case_no = town.rows(found, id=claim_id)[0]
    clearing_no = town.value("SELECT clearing_no FROM claim_bill WHERE claim_id = :id", id=claim_id)
    assert case_no
    for query in ({"no": no}, {"case_no": case_no}, {"clearing_no": clearing_no}, {"no": no, "status": "adjudicating"}):
        for party in (None, "I1", "H1"):
            items = ask(town, "/claims", headers(town, party), **query).get_json()["items"]
            assert [item["id"] for item in items] == [claim_id], (query, party)
        assert ask(town, "/claims", headers(town, "I2"), **query).get_json()["items"] == []
    assert ask(town, "/claims", headers(town, None), no=no, status="paid").get_json()["items"] == []


def test_a_claim_of_others_reads_like_a_missing_one(town: Town, claim_id: str) -> None:
    mine = ask(town, f"/claims/{claim_id}", headers(town, "I1"))
    assert (mine.status_code, mine.get_json()["id"]) == (200, claim_id)
    foreign, missing = (ask(town, f"/claims/{one}", headers(town, "I2")) for one in (claim_id, uuid.uuid4()))
    assert (foreign.status_code, foreign.get_json()["code"]) == (missing.status_code, missing.get_json()["code"])
    assert foreign.status_code == 404
    assert ask(town, "/claims", headers(town, None, "administrator")).status_code == 403


def test_patients_find_their_claim_by_the_insurers_number(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    case_no = who.get(f"/claims/{claim_id}")["case_no"]
    assert [one["id"] for one in who.get(f"/claims?case_no={case_no}")["items"]] == [claim_id]
    assert who.get("/claims?case_no=another")["items"] == []
    assert town.insured("李四").get(f"/claims?case_no={case_no}")["items"] == []


def test_recoveries_are_listed_for_those_they_concern(town: Town, claim_id: str) -> None:
    decide(town, claim_id)
    bill_id = town.value("SELECT bill_id FROM claim_bill WHERE claim_id = :id", id=claim_id)
    town.push([as_row(e_bill_row(town.key_of(bill_id), "reversed"), 2)])
    town.drain_all("claim.e_bills_reversed")
    for party, seen in ((None, True), ("I1", True), ("H1", True), ("I2", False)):
        items = ask(town, "/recoveries", headers(town, party), status="waiting").get_json()["items"]
        assert (claim_id in [item["claim_id"] for item in items]) is seen, party
    town.drain_all("payout.bills_lost")
    items = ask(town, "/recoveries", headers(town, "I1"), status="void").get_json()["items"]
    assert [item["claim_id"] for item in items] == [claim_id] and "红冲" in items[0]["in_words"]
