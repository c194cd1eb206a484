"""What an insurer is told by its own interface stands in its change feed too, word for word, each once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.app.claim.kit import at_the_insurer, journal
from tests.app.claim.test_documents import PAPER
from tests.app.town import Town

FEED_ALONE = ("claim.refusal_letter",)


def in_feed(town: Town, claim_id: str) -> list[tuple[str, dict[str, Any]]]:
    """(what, body) of every claim message about this claim, in order, but for what stands in the feed alone."""
    claim_no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    found, cursor = [], 0
    while changes := town.agent("I1").ok("/changes/poll", {"cursor": cursor, "max": 200})["changes"]:
        found += [(one["type"], one["data"]) for one in changes if one["data"].get("claim_no") == claim_no
                  and one["type"] not in FEED_ALONE]  # fmt: skip
        cursor = changes[-1]["cursor"]
    return found


def by_interface(town: Town, claim_id: str, what: str) -> dict[str, Any]:
    """The body of the call by which the insurer was told."""
    claim_no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    path = "/v1/claims" if what == "package" else f"/{claim_no}/{what}"
    bodies = [json.loads(entry["body"]) for entry in journal(town, "I1", path)]
    (body,) = [body for body in bodies if what != "package" or body["claim_no"] == claim_no]
    return {"claim_no": claim_no} | body


def require_same(town: Town, claim_id: str, *whats: str) -> None:
    assert in_feed(town, claim_id) == [(f"claim.{what}", by_interface(town, claim_id, what)) for what in whats]


def test_package_documents_acceptance_and_payout(town: Town) -> None:
    who = town.insured()
    town.policy(who, asks_documents=[{"kind": "invoice", "text": "发票原件"}])
    claim_id = town.claim(who, [town.bill(who)])
    town.settle_down()
    sent = who.post(f"/claims/{claim_id}/documents", {"documents": [PAPER | {"kind": "invoice"}]})
    assert sent.status_code == 200, sent.get_json()
    town.settle_down()
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    require_same(town, claim_id, "package", "documents", "acceptance", "payout")


def test_appeal(town: Town) -> None:
    who = town.insured()
    town.policy(who, doubts_largest=True)
    claim_id = town.claim(who, [town.bill(who, (6_000, 4_000))])
    town.settle_down()
    doubted = next(line for line in who.get(f"/claims/{claim_id}")["lines"] if line["approved_fen"] == 0)
    line = {"clearing_no": doubted["clearing_no"], "line_no": doubted["line_no"]}
    assert who.post(f"/claims/{claim_id}/appeal", {"lines": [line], "reason": "医嘱"}).status_code == 200
    town.settle_down()
    require_same(town, claim_id, "package", "appeal", "payout")


def test_withdrawal_and_its_repetition_after_a_lost_answer(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    assert who.post(f"/claims/{claim_id}/withdraw").status_code == 200
    town.insurers["I1"].fail("/withdrawal$", status=503)
    town.drain_all("claim.tell_withdrawal")
    assert [what for what, _ in in_feed(town, claim_id)] == ["claim.package"], "not before the insurer has it"
    town.drain_all("claim.tell_withdrawal", hurry=True)
    (_, (what, body)) = in_feed(town, claim_id)
    assert (what, sorted(body)) == ("claim.withdrawal", ["claim_no", "reversals"])


@pytest.mark.parametrize("code", ["I2", "H1"])
def test_nobody_else_s_feed_has_it(town: Town, code: str) -> None:
    claim_id = at_the_insurer(town, town.insured())
    claim_no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    changes = town.agent(code).ok("/changes/poll", {"cursor": 0, "max": 200})["changes"]
    assert claim_no not in json.dumps(changes)
