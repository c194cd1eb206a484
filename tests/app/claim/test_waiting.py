"""Two claims on one bill: the later one waits, says for what, and goes on by itself, however the first one ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import tasks
from tests.app.claim.kit import NEVER_S, adjudicate, at_the_insurer, cut, fed, in_days, lines_of, say
from tests.app.claim.test_documents import ask
from tests.app.town import Insured, Town, configure

STEPS = ("claim.assemble", "claim.verify", "claim.deliver")
GOING_ON = ("claim.wake_waiting", "claim.deliver")


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def two_claims(town: Town, who: Insured) -> tuple[str, str]:
    """The first is at its insurer, the second waits for it."""
    first = at_the_insurer(town, who)
    configure(town.insurers["I2"], delay_s=NEVER_S)
    town.policy(who, "I2")
    bill_id = town.value("SELECT bill_id FROM claim_bill WHERE claim_id = :id", id=first)
    second = town.claim(who, [bill_id], "I2")
    town.drain_all(*STEPS)
    assert town.status(second) == "verified"
    return first, second


def look_again(town: Town, days: float = 0) -> None:
    with in_days(town, days):
        town.drain_all("claim.look_again", hurry=True)
    town.drain_all("claim.deliver")


def age(town: Town, claim_id: str, days: int) -> None:
    """As if the claim, and its clocks, had begun so many days earlier."""
    by = {"id": claim_id, "by": timedelta(days=days)}
    town.rows("UPDATE claim_clock SET started_at = started_at - :by, due_at = due_at - :by WHERE claim_id = :id", **by)
    town.rows("UPDATE claim SET submitted_at = submitted_at - :by WHERE id = :id", **by)


def test_it_says_what_it_waits_for_and_costs_nothing_meanwhile(town: Town, who: Insured) -> None:
    _, second = two_claims(town, who)
    found = who.get(f"/claims/{second}")
    assert found["waiting"]["code"] == "earlier_claim" and "另一家保险公司" in found["waiting"]["text"]
    with town.runtime.read() as session:
        assert tasks.next_due_in(session, "claim.deliver") is None
    mine = "SELECT run_at - now() FROM task WHERE kind = 'claim.look_again' AND subject = :id"
    assert town.value(mine, id=second) > timedelta(minutes=50)
    look_again(town, 1)
    assert who.get(f"/claims/{second}")["waiting"] == found["waiting"], "still, and since the same moment"
    assert town.value(mine, id=second) > timedelta(minutes=50)


def test_it_goes_on_as_soon_as_the_first_is_decided(town: Town, who: Insured) -> None:
    first, second = two_claims(town, who)
    lines = lines_of(town, first)
    adjudicate(town, first, lines=[cut(lines[0], 2_000), lines[1]], outcome="partly")
    town.drain_all(*GOING_ON)
    found = who.get(f"/claims/{second}")
    assert (found["status"], found["waiting"], found["asked_fen"]) == ("adjudicating", None, 2_000)


def test_what_is_certain_only_of_a_part_does_not_wake_it(town: Town, who: Insured) -> None:
    first, second = two_claims(town, who)
    adjudicate(town, first, lines=lines_of(town, first)[:1], outcome="interim")
    town.drain_all(*GOING_ON)
    look_again(town, 1)
    assert town.status(second) == "verified"


def test_it_goes_on_when_the_first_is_taken_back(town: Town, who: Insured) -> None:
    first, second = two_claims(town, who)
    assert who.post(f"/claims/{first}/withdraw").status_code == 200
    town.drain_all(*GOING_ON)
    assert town.status(second) == "adjudicating"


def test_an_insurer_that_is_late_holds_nobody_up_and_finds_the_rest(town: Town, who: Insured) -> None:
    first, second = two_claims(town, who)
    age(town, first, 29)
    look_again(town)
    assert town.status(second) == "verified"
    age(town, first, 2)
    look_again(town)
    assert town.status(second) == "adjudicating"
    lines = lines_of(town, second)
    adjudicate(town, second, lines=[cut(lines[0], 4_000), lines[1]], outcome="partly", code="I2")
    adjudicate(town, first)
    assert [told["code"] for told in fed(town, "claim.decision_refused", first)] == ["over_approved"]
    lines = lines_of(town, first)
    adjudicate(town, first, lines=[cut(lines[0], 2_000), cut(lines[1], 4_000)], outcome="partly")
    assert [who.get(f"/claims/{one}")["approved_fen"] for one in (first, second)] == [4_000, 6_000]


def test_an_insurer_that_waits_for_documents_is_not_late(town: Town, who: Insured) -> None:
    first, second = two_claims(town, who)
    say(town, "claim.documents_requested", ask(town, first))
    age(town, first, 31)
    look_again(town)
    assert town.status(second) == "verified"


def test_an_earlier_claim_that_never_reaches_its_insurer_does_not_hold_it_for_ever(town: Town, who: Insured) -> None:
    first, second = two_claims(town, who)
    town.rows("UPDATE claim SET status = 'verifying' WHERE id = :id", id=first)
    town.rows("DELETE FROM claim_clock WHERE claim_id = :id", id=first)
    age(town, first, 29)
    look_again(town)
    assert town.status(second) == "verified"
    age(town, first, 2)
    look_again(town)
    assert town.status(second) == "adjudicating"


def test_withdrawn_it_waits_for_nothing(town: Town, who: Insured) -> None:
    first, second = two_claims(town, who)
    found = who.post(f"/claims/{second}/withdraw").get_json()
    assert (found["status"], found["waiting"]) == ("withdrawn", None)
    adjudicate(town, first)
    town.drain_all(*GOING_ON, "claim.look_again", hurry=True)
    assert (town.status(second), town.dead()) == ("withdrawn", [])
