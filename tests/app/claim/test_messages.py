"""What an insurer says wrongly: nothing comes of it, and its change feed says what was wrong."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.app.claim.kit import at_the_insurer, decision, say
from tests.app.town import Town

DROP = object()


def refused(town: Town, code: str = "I1") -> list[dict[str, Any]]:
    found = town.agent(code).ok("/changes/poll", {"cursor": 0, "max": 200, "wait_ms": 0})["changes"]
    return [change["data"] for change in found if change["type"] == "message.refused"]


def require_untouched(town: Town, claim_id: str) -> None:
    assert town.value("SELECT status FROM claim WHERE id = :id", id=claim_id) == "adjudicating"
    assert town.value("SELECT count(*) FROM decision WHERE claim_id = :id", id=claim_id) == 0
    assert town.value("SELECT count(*) FROM task WHERE status = 'dead'") == 0


@pytest.mark.parametrize(
    ("wrong", "field", "kind"),
    [
        ({"claim_no": DROP}, "claim_no", "missing"),
        ({"approved_fen": -1}, "approved_fen", "greater_than_equal"),
        ({"approved_fen": 10**40}, "approved_fen", "less_than_equal"),
        ({"approved_fen": 1.5}, "approved_fen", "int_type"),
        ({"approved_fen": True}, "approved_fen", "int_type"),
        ({"decision_no": "D" * 10_000}, "decision_no", "string_too_long"),
        ({"lines": [{}]}, "lines.0.clearing_no", "missing"),
    ],
)
def test_what_breaks_the_contract_is_named_to_its_sender(
    town: Town, wrong: dict[str, Any], field: str, kind: str
) -> None:
    claim_id = at_the_insurer(town, town.insured())
    said = {name: value for name, value in (decision(town, claim_id) | wrong).items() if value is not DROP}
    say(town, "claim.adjudicated", said)
    told = refused(town)[-1]
    assert (told["type"], told["code"], told["fields"][field]) == ("claim.adjudicated", "invalid", kind)
    require_untouched(town, claim_id)


@pytest.mark.parametrize("kind", ["claim.adjudicated", "claim.case_opened", "claim.documents_requested"])
def test_an_empty_message_of_any_kind_is_answered(town: Town, kind: str) -> None:
    answer = town.agent("I1").ok("/messages", {"type": kind, "data": {}})
    town.drain_all(kind)
    assert refused(town)[-1]["message_id"] == answer["message_id"]


@pytest.mark.parametrize("code", ["I1", "I2"])
def test_who_speaks_of_a_claim_that_it_has_not_is_told_the_same(town: Town, code: str) -> None:
    claim_id = at_the_insurer(town, town.insured())
    unknown = {"claim_no": f"cl{uuid4().hex}"} if code == "I1" else {}
    say(town, "claim.adjudicated", decision(town, claim_id) | unknown, code=code)
    told = refused(town, code)[-1]
    assert (told["code"], told["fields"]) == ("not_found", {})
    require_untouched(town, claim_id)
