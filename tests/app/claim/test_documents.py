"""Missing documents: asked once, sent once, late at the deadline; and an appeal, with the double's own decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.app.claim.kit import adjudicate, at_the_insurer, feed, say
from tests.app.town import Insured, Town

PAPER = {"title": "发票", "media_type": "application/pdf", "content_base64": "JVBERi0xLjQgaGVsbG8="}


def ask(town: Town, claim_id: str, request_no: str = "R1", in_days: float = 30) -> dict[str, Any]:
    deadline = datetime.now(UTC) + timedelta(days=in_days)
    return {
        "claim_no": town.value("SELECT no FROM claim WHERE id = :id", id=claim_id),
        "request_no": request_no,
        "items": [{"kind": "invoice", "text": "发票原件"}, {"kind": "report", "text": "检查报告"}],
        "deadline": deadline.isoformat(),
    }


def test_documents_are_asked_for_sent_and_the_claim_is_decided(town: Town) -> None:
    who = town.insured()
    town.policy(who, asks_documents=[{"kind": "invoice", "text": "发票原件"}])
    claim_id = town.claim(who, [town.bill(who)])
    town.settle_down()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["holder"]) == ("needs_documents", "patient")
    assert found["document_requests"][0]["items"] == [{"kind": "invoice", "text": "发票原件"}]
    missing = who.post(f"/claims/{claim_id}/documents", {"documents": [PAPER | {"kind": "other"}]})
    assert (missing.status_code, missing.get_json()["code"]) == (422, "documents_incomplete")
    assert missing.get_json()["fields"] == {"invoice": "发票原件"}
    sent = who.post(f"/claims/{claim_id}/documents", {"documents": [PAPER | {"kind": "invoice"}]})
    assert (sent.status_code, sent.get_json()["status"]) == (200, "adjudicating")
    again = who.post(f"/claims/{claim_id}/documents", {"documents": [PAPER | {"kind": "invoice"}]})
    assert again.get_json()["code"] == "no_documents_asked"
    town.settle_down()
    assert town.status(claim_id) == "approved" and not town.dead()


def test_a_request_twice_is_one_and_a_late_one_is_none(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    for _ in range(2):
        say(town, "claim.documents_requested", ask(town, claim_id))
    assert len(who.get(f"/claims/{claim_id}")["document_requests"]) == 1
    adjudicate(town, claim_id)
    assert town.status(claim_id) == "approved", "the insurer need not wait for what it has asked for"
    say(town, "claim.documents_requested", ask(town, claim_id, "R2"))
    assert town.status(claim_id) == "approved"


@pytest.mark.parametrize("deadline", ["9999-12-31T23:59:59-12:00", "9999-12-31T20:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_deadline_at_the_edge_of_the_calendar_is_refused(town: Town, deadline: str) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    say(town, "claim.documents_requested", ask(town, claim_id) | {"deadline": deadline})
    assert refusal(town)[0] == "invalid" and not town.dead()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["document_requests"]) == ("adjudicating", [])


@pytest.mark.parametrize("in_days", [-20_000, -0.01, 32, 20_000])
def test_a_deadline_lies_ahead_and_within_what_is_agreed(town: Town, in_days: float) -> None:
    """A past one would end the patient's time at once, one without limit would pause the decision's clock so."""
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    say(town, "claim.documents_requested", ask(town, claim_id, in_days=in_days))
    assert refusal(town)[0] == "deadline_unfitting" and town.status(claim_id) == "adjudicating"
    say(town, "claim.documents_requested", ask(town, claim_id, in_days=29.9))
    assert town.status(claim_id) == "needs_documents"


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        ({}, {"reason": "missing", "supervisor": "missing"}),
        ({"reason": "检查报告缺页"}, {"supervisor": "missing"}),
        ({"supervisor": "S-07"}, {"reason": "missing"}),
    ],
)
def test_more_is_asked_for_only_with_a_reason_and_a_supervisor(
    town: Town, said: dict[str, str], missing: dict[str, str]
) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    say(town, "claim.documents_requested", ask(town, claim_id))
    send(who, claim_id)
    say(town, "claim.documents_requested", ask(town, claim_id, "R2") | said)
    assert town.status(claim_id) == "adjudicating" and refusal(town) == ("second_request", missing)
    say(town, "claim.documents_requested", ask(town, claim_id, "R2") | {"reason": "检查报告缺页", "supervisor": "S-07"})
    first, second = who.get(f"/claims/{claim_id}")["document_requests"]
    assert town.status(claim_id) == "needs_documents"
    assert (first["reason"], second["reason"]) == (None, "检查报告缺页")
    assert "S-07" not in str(second), "who of the insurer allowed it is not the patient's business"
    send(who, claim_id)
    assert town.status(claim_id) == "adjudicating"


def test_nothing_more_is_asked_for_while_something_is(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    say(town, "claim.documents_requested", ask(town, claim_id))
    allowed = {"reason": "检查报告缺页", "supervisor": "S-07"}
    say(town, "claim.documents_requested", ask(town, claim_id, "R2") | allowed)
    assert refusal(town) == ("documents_still_asked", {})
    assert len(who.get(f"/claims/{claim_id}")["document_requests"]) == 1


def send(who: Insured, claim_id: str) -> None:
    papers = [PAPER | {"kind": kind} for kind in ("invoice", "report")]
    assert who.post(f"/claims/{claim_id}/documents", {"documents": papers}).status_code == 200


def refusal(town: Town) -> tuple[str, dict[str, str]]:
    """Why the insurer's newest refused message was refused, as its feed says."""
    refused = feed(town, "message.refused")[-1]
    return refused["code"], refused["fields"]


def test_at_the_deadline_of_the_open_request_the_insurer_goes_on(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    say(town, "claim.documents_requested", ask(town, claim_id, in_days=1))
    town.drain_all("claim.documents_late", hurry=True)
    assert town.status(claim_id) == "needs_documents", "not before"
    town.rows("UPDATE document_request SET deadline = now() - interval '1 minute' WHERE claim_id = :id", id=claim_id)
    with town.runtime.work() as work:
        work.later("claim.documents_late", claim_id)  # type: ignore[arg-type]
    town.drain_all("claim.documents_late")
    assert who.get(f"/claims/{claim_id}")["status"] == "adjudicating"


def test_a_line_that_was_doubted_is_paid_after_the_appeal(town: Town) -> None:
    who = town.insured()
    town.policy(who, doubts_largest=True, ratio="1")
    claim_id = town.claim(who, [town.bill(who, (6_000, 4_000))])
    town.settle_down()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["approved_fen"]) == ("approved", 4_000)
    doubted = next(line for line in found["lines"] if line["approved_fen"] == 0)
    assert "medical_necessity" in {reason["code"] for reason in doubted["reasons"]}
    line = {"clearing_no": doubted["clearing_no"], "line_no": doubted["line_no"]}
    assert who.post(f"/claims/{claim_id}/appeal", {"lines": [line], "reason": "医嘱"}).status_code == 200
    town.settle_down()
    assert who.get(f"/claims/{claim_id}")["approved_fen"] == 10_000
