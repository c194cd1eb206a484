"""Money goes back on proof alone: on the interface's word that nothing stands under our number, or where nobody was
ever asked; and whoever waits for it is told, and comes to an end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.settlement.kit import SIDES, answer, settling
from tests.app.town import Insured, Town

SETTLED = SIDES | {"setl_id": "S1"}
FOUND = SETTLED | {"found": True, "state": "settled"}
NOT_THERE = {"found": False, "final": True}


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def refunds(town: Town) -> list[Any]:
    return [tuple(row) for row in town.rows("SELECT status, amount_fen FROM refund")]


def notices(town: Town, template: str) -> int:
    return int(town.value("SELECT count(*) FROM notice WHERE template = :name", name=template))


def ask_interface(town: Town, known: dict[str, Any]) -> dict[str, Any]:
    """The interface is asked by our number, and answers so."""
    town.drain_all("settlement.query", hurry=True)
    return answer(town, "query_settlement", known)


def pass_by(town: Town, seconds: int) -> None:
    """So much time passes for a settlement and for what was asked."""
    town.rows("UPDATE settlement SET paid_at = paid_at - make_interval(secs => :s),"
              " status_since = status_since - make_interval(secs => :s)", s=seconds)  # fmt: skip
    town.rows("UPDATE command SET created_at = created_at - make_interval(secs => :s),"
              " deadline = deadline - make_interval(secs => :s), answer_by = answer_by - make_interval(secs => :s)",
              s=seconds)  # fmt: skip
    town.drain_all("exchange.overdue", "settlement.insurance_answered", "settlement.reverse_answered")


def expire_commands(town: Town, seconds: int) -> None:
    pass_by(town, seconds)
    town.rows("INSERT INTO task (kind, args) VALUES ('exchange.overdue', '{}')")
    town.drain_all("exchange.overdue")
    town.drain_all()


@pytest.mark.parametrize("code", ["SETTLED", "DUPLICATE", "AMOUNT"])
def test_a_refusal_alone_gives_no_money_back(town: Town, who: Insured, code: str) -> None:
    """It may be the answer to a second request, whose first was done."""
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="refused", code=code)
    assert who.get(f"/settlements/{settlement_id}")["insurance_part"] == "unknown" and not refunds(town)
    asked = ask_interface(town, FOUND)
    assert asked["final"] is True and asked["trial_no"]
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled" and not refunds(town)


def test_only_a_final_answer_gives_money_back(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", outcome="refused", code="AMOUNT")
    ask_interface(town, {"found": False, "final": False})
    assert who.get(f"/settlements/{settlement_id}")["insurance_part"] == "unknown" and not refunds(town)
    ask_interface(town, NOT_THERE)
    assert who.get(f"/settlements/{settlement_id}")["status"] == "failed"
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


@pytest.mark.parametrize("kind", ["settle", "reverse"])
def test_what_moves_money_is_handed_out_once(town: Town, who: Insured, kind: str) -> None:
    """Also to an agent that has lost its store."""
    settling(town, who, town.bill(who, settled=False))
    if kind == "reverse":
        answer(town, "settle", SETTLED | {"fund_fen": 5_000, "account_fen": 2_000})
    assert [one["kind"] for one in town.commands("M1", "settlement")] == [kind]
    town.rows("UPDATE command SET handed_at = handed_at - interval '5 minutes'")
    assert not town.commands("M1", "settlement")


def test_what_nobody_fetched_is_asked_again_and_ends_with_the_money_back(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    expire_commands(town, 120)
    town.drain_all("settlement.ask", hurry=True)
    assert town.value("SELECT count(*) FROM command WHERE kind = 'settle'") == 2
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settling"
    expire_commands(town, 3600)
    town.drain_all("settlement.ask", hurry=True)
    expire_commands(town, 120)
    assert who.get(f"/settlements/{settlement_id}")["status"] == "failed"
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


def test_after_a_doubt_nothing_ends_before_the_interface_has_spoken(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    assert town.commands("M1", "settlement")
    expire_commands(town, 7200)
    asked = ask_interface(town, NOT_THERE)
    assert asked["final"] is True, "the patient has waited long enough"
    assert who.get(f"/settlements/{settlement_id}")["status"] == "failed"
    town.until(lambda: refunds(town) == [("succeeded", 3_000)])


def test_who_waits_for_the_interface_is_told_once(town: Town, who: Insured) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    town.drain_all("settlement.delayed")
    assert not notices(town, "settlement_delayed")
    town.drain_all("settlement.delayed", hurry=True)
    assert notices(town, "settlement_delayed") == 1
    answer(town, "settle", SETTLED)
    assert who.get(f"/settlements/{settlement_id}")["status"] == "settled"


def test_who_was_settled_at_once_is_not_told_of_a_delay(town: Town, who: Insured) -> None:
    settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", SETTLED)
    town.drain_all("settlement.delayed", hurry=True)
    assert not notices(town, "settlement_delayed")


@pytest.mark.parametrize(
    ("known", "status"),
    [
        (FOUND | {"state": "reversed"}, "reversed"),
        ({"found": False}, "reversed"),
        (FOUND, "settling"),
        ({}, "settling"),
    ],
)
@pytest.mark.parametrize("how", [{"outcome": "refused", "code": "settlement_not_known"}, {"outcome": "unknown"}])
def test_a_reversal_in_doubt_is_asked_for(
    town: Town, who: Insured, how: dict[str, Any], known: dict[str, Any], status: str
) -> None:
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", SETTLED | {"fund_fen": 5_000, "account_fen": 2_000})
    answer(town, "reverse", **how)
    asked = ask_interface(town, known)
    assert asked["final"] is False, "a settlement that stands is not closed"
    found = who.get(f"/settlements/{settlement_id}")
    assert found["status"] == status
    if status == "reversed":
        town.until(lambda: refunds(town) == [("succeeded", 3_000)])
    elif known:
        answer(town, "reverse")
        assert who.get(f"/settlements/{settlement_id}")["status"] == "reversed"


def test_a_hospital_that_refuses_is_told_of_the_reversal(town: Town, who: Insured) -> None:
    """It may have booked the settlement before its first answer was lost."""
    settlement_id = settling(town, who, town.bill(who, settled=False))
    answer(town, "settle", SETTLED)
    answer(town, "settlement_notice", outcome="unknown", code="his_timeout", at="H1")
    town.drain_all("settlement.tell", hurry=True)
    answer(town, "settlement_notice", outcome="refused", code="already_settled", at="H1")
    answer(town, "reverse")
    assert who.get(f"/settlements/{settlement_id}")["status"] == "reversed"
    answer(town, "settlement_reversed", outcome="failed", code="his_unreachable", at="H1")
    town.drain_all("settlement.tell_reversed", hurry=True)
    told = answer(town, "settlement_reversed", at="H1")
    assert told["settlement_no"] and told["bill_key"]
    assert not town.dead() and not town.commands("H1", "settlement")
