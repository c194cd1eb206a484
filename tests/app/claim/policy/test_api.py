"""A patient's own policies: nothing is shared without consent, and what was answered is kept with its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core.work import Runtime
from tests.app.town import Front, Insured, Partners, Town, peopled

# How each insurer is asked, by its code.
PATHS = {"I1": "/v1/eligibility", "I2": "/s200"}


@pytest.fixture(scope="module", name="partners")
def both_dialects(runtime: Runtime, client: FlaskClient, front: Front) -> Iterator[Partners]:
    with peopled(runtime, client, front, {"I2": {"dialect": "s200"}}) as here:
        yield here


def ask(who: Insured, code: str, *, consent: bool = True) -> Any:
    return who.post("/policies", {"person_id": str(who.person_id), "insurer": code, "consent": consent})


def listed(who: Insured) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = who.get(f"/policies?person_id={who.person_id}")["items"]
    return found


def questions(town: Town, code: str) -> int:
    return sum(entry["path"] == PATHS[code] for entry in town.insurers[code].journal)


@pytest.mark.parametrize(("code", "told"), [("I1", ("0.9000", 1_000)), ("I2", (None, None))])
def test_the_own_policies_are_asked_for_and_kept_with_their_time(
    town: Town, code: str, told: tuple[str | None, int | None]
) -> None:
    who = town.insured()
    policy_no = town.policy(who, code, deductible_fen=1_000, ceiling_fen=500_000)
    assert listed(who) == []
    asked = ask(who, code)
    assert (asked.status_code, asked.get_json()["status"], asked.get_json()["items"]) == (202, "asking", [])
    town.drain_all("claim.ask_policies")
    [found] = listed(who)
    assert (found["insurer"], found["status"]) == (code, "answered") and found["answered_at"] >= found["asked_at"]
    [policy] = found["items"]
    assert (policy["policy_no"], policy["ceiling_left_fen"]) == (policy_no, 500_000)
    assert (policy["ratio"], policy["deductible_left_fen"]) == told
    assert policy["as_of"] == found["answered_at"]
    [consent] = who.get("/consents")["consents"]
    assert (consent["recipient"], consent["scope"], consent["receipts"][0]["what"]) == (
        code, ["identity"], ["identity"])  # fmt: skip


@pytest.mark.parametrize("code", ["I1", "I2"])
def test_who_has_no_policy_learns_that_the_insurer_said_so(town: Town, code: str) -> None:
    who = town.insured()
    ask(who, code)
    town.drain_all("claim.ask_policies")
    [found] = listed(who)
    assert (found["status"], found["items"]) == ("answered", []) and not town.dead()


def test_without_consent_nobody_is_asked(town: Town) -> None:
    who, before = town.insured(), questions(town, "I1")
    refused = ask(who, "I1", consent=False)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "consent_needed")
    town.drain_all("claim.ask_policies")
    assert listed(who) == [] and questions(town, "I1") == before
    assert who.get("/consents")["consents"] == []


def test_a_consent_that_is_withdrawn_before_the_question_leaves_shares_nothing(town: Town) -> None:
    who, before = town.insured(), questions(town, "I1")
    ask(who, "I1")
    [consent] = who.get("/consents")["consents"]
    assert who.post(f"/consents/{consent['id']}/withdraw").status_code == 200
    town.drain_all("claim.ask_policies")
    assert questions(town, "I1") == before and listed(who) == []
    assert who.get("/consents")["consents"][0]["receipts"] == []


def test_asked_again_at_once_the_insurer_is_left_in_peace_and_later_it_is_asked(town: Town) -> None:
    who = town.insured()
    first = town.policy(who, "I1")
    before = questions(town, "I1")
    for _ in range(2):
        ask(who, "I1")
        town.drain_all("claim.ask_policies")
    assert questions(town, "I1") == before + 1
    town.insurers["I1"].book.policies.pop(first)
    second = town.policy(who, "I1", policy_no=f"{first}-new")
    earlier = "UPDATE policy_question SET asked_at = asked_at - interval '6 minutes' WHERE person_id = :id"
    town.rows(earlier, id=who.person_id)
    assert ask(who, "I1").get_json()["items"][0]["policy_no"] == first, "the earlier answer, until there is a new one"
    town.drain_all("claim.ask_policies")
    assert [policy["policy_no"] for policy in listed(who)[0]["items"]] == [second]


def test_an_insurer_that_is_away_is_asked_again_and_the_patient_sees_the_waiting(town: Town) -> None:
    who = town.insured()
    town.policy(who, "I2")
    town.insurers["I2"].fail("/s200", status=503)
    ask(who, "I2")
    town.drain_all("claim.ask_policies")
    assert listed(who)[0]["status"] == "asking"
    town.drain_all("claim.ask_policies", hurry=True)
    assert listed(who)[0]["status"] == "answered" and not town.dead()


def test_only_insurers_have_policies(town: Town) -> None:
    who = town.insured()
    for code in ("H1", "B1", "nobody"):
        assert ask(who, code).status_code == 404
