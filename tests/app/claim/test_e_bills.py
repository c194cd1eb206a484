"""One e-bill is paid at most once in full, whichever claims, hospitals and insurers it is offered to."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from tests.app.claim.kit import NEVER_S, at_the_insurer, guards
from tests.app.kit import Thread
from tests.app.town import Insured, Town, as_row, configure, e_bill_row

STEPS = ("claim.assemble", "claim.bills_changed", "claim.verify", "claim.deliver", "claim.e_bills_reversed")


@pytest.fixture(autouse=True)
def plain_insurers(town: Town) -> Any:
    yield
    for insurer in town.insurers.values():
        configure(insurer, paid_elsewhere_fen=0)


def paid_fen(town: Town, bill_id: UUID) -> int:
    """What left the insurers for this bill, by the payouts that succeeded."""
    found = town.value(
        "SELECT coalesce(sum(p.amount_fen), 0) FROM payout p WHERE p.status = 'succeeded' AND p.claim_id IN"
        " (SELECT claim_id FROM claim_bill WHERE bill_id = :id)",
        id=bill_id,
    )
    return int(found)


def both(town: Town, who: Insured, bill_id: UUID) -> list[str]:
    return [town.claim(who, [bill_id], code) for code in ("I1", "I2")]


def accept_all(town: Town, who: Insured, claims: list[str]) -> None:
    """To the end."""
    for _ in range(4):
        town.settle_down()
        for claim_id in claims:
            if town.status(claim_id) == "approved":
                assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    assert not town.dead()


@pytest.mark.parametrize(("first", "second"), [("0.90", "1"), ("1", "1"), ("0.40", "0.50")])
def test_a_bill_offered_through_two_insurers_is_paid_at_most_once_in_full(town: Town, first: str, second: str) -> None:
    who = town.insured()
    town.policy(who, "I1", ratio=first)
    town.policy(who, "I2", ratio=second)
    bill_id = town.bill(who, (6_000, 4_000), fund_fen=1_000)
    claims = both(town, who, bill_id)
    accept_all(town, who, claims)
    expected = min(9_000, sum(int(float(ratio) * 9_000) for ratio in (first, second)))
    assert paid_fen(town, bill_id) == expected
    assert town.status(claims[0]) == "paid"
    assert town.status(claims[1]) == ("ineligible" if first == "1" else "paid")


def test_two_insurers_at_the_same_moment_do_not_pay_twice(town: Town) -> None:
    who = town.insured()
    for code in ("I1", "I2"):
        town.policy(who, code, ratio="1")
    bill_id = town.bill(who)
    threads = [Thread(partial(town.claim, who, [bill_id], code)) for code in ("I1", "I2")]
    claims = [thread.result() for thread in threads]
    workers = [Thread(lambda: town.drain_all(*STEPS)) for _ in range(2)]
    for worker in workers:
        worker.result()
    accept_all(town, who, claims)
    assert paid_fen(town, bill_id) == 10_000


def test_an_e_bill_that_moves_to_another_bill_is_not_paid_there_too(town: Town) -> None:
    who = town.insured()
    town.policy(who, "I1", ratio="1")
    town.policy(who, "I2", ratio="1")
    old, new = town.bill(who), town.bill(who, e_bill="")
    first = town.claim(who, [old])
    accept_all(town, who, [first])
    moved = e_bill_row(town.key_of(old))
    moved[2]["bill_key"] = town.key_of(new)
    town.push([as_row(moved, 2)])
    second = town.claim(who, [new], "I2")
    town.drain_all(*STEPS)
    found = who.get(f"/claims/{second}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", "e_bill_claimed")
    assert (paid_fen(town, old), paid_fen(town, new)) == (10_000, 0)
    again = town.claim(who, [new])
    town.drain_all(*STEPS)
    assert town.status(again) == "ineligible", "nor by the same insurer"


def name(town: Town, bill_id: UUID, at: str, version: int = 1, **values: str) -> None:
    """The hospital says which e-bill belongs to a bill of its own."""
    kind, key, data = e_bill_row(town.key_of(bill_id))
    town.push([as_row((kind, key, data | values), version)], at=at)


def test_an_e_bill_of_another_hospitals_stays_with_the_first_until_that_one_mends(town: Town) -> None:
    who, other = town.insured(), town.insured("李四", at="H2")
    here, there = town.bill(who, e_bill=""), town.bill(other, at="H2", e_bill="")
    number = {"number": e_bill_row(town.key_of(here))[2]["number"]}
    name(town, there, "H2", **number)
    name(town, here, "H1")
    town.policy(who)
    configure(town.insurers["I1"], delay_s=NEVER_S)
    mine = town.claim(who, [here])
    town.drain_all(*STEPS)
    found = who.get(f"/claims/{mine}")
    assert (found["status"], found["waiting"]["code"]) == ("assembling", "e_bill_elsewhere")
    assert at_work(town, other, there) == "adjudicating"


def test_under_another_check_code_it_is_another_e_bill_and_still_paid_once(town: Town) -> None:
    who, other = town.insured(), town.insured("李四", at="H2")
    here, there = town.bill(who, e_bill=""), town.bill(other, at="H2", e_bill="")
    name(town, there, "H2", number=e_bill_row(town.key_of(here))[2]["number"], check_code="mistyped")
    name(town, here, "H1")
    assert at_work(town, who, here) == "adjudicating"
    assert at_work(town, other, there) == "ineligible"
    [claim] = other.get("/claims")["items"]
    assert [reason["code"] for reason in claim["reasons"]] == ["e_bill_claimed"]


def test_when_the_other_hospital_mends_nobody_has_to_push_again(town: Town) -> None:
    who, other = town.insured(), town.insured("李四", at="H2")
    here, there = town.bill(who, e_bill=""), town.bill(other, at="H2", e_bill="")
    name(town, there, "H2", number=e_bill_row(town.key_of(here))[2]["number"])
    name(town, here, "H1")
    assert at_work(town, who, here) == "assembling"
    name(town, there, "H2", version=2)
    town.drain_all(*STEPS, hurry=True)
    [claim] = who.get("/claims")["items"]
    assert (claim["status"], claim["waiting"]) == ("adjudicating", None)
    assert at_work(town, other, there) == "adjudicating"


def at_work(town: Town, who: Insured, bill_id: UUID) -> str:
    town.policy(who)
    configure(town.insurers["I1"], delay_s=NEVER_S)
    claim_id = town.claim(who, [bill_id])
    town.drain_all(*STEPS)
    return town.status(claim_id)


def test_the_guard_knows_code_number_check_code_and_bill(town: Town) -> None:
    who = town.insured()
    claim_id = at_the_insurer(town, who)
    [guard] = town.rows("SELECT code, number, check_code, bill_id FROM e_bill_guard WHERE claim_id = :id", id=claim_id)
    bill_id = town.value("SELECT bill_id FROM claim_bill WHERE claim_id = :id", id=claim_id)
    [e_bill] = town.rows("SELECT code, number, check_code, bill_id FROM e_bill WHERE bill_id = :id", id=bill_id)
    assert tuple(guard) == tuple(e_bill)
    town.push([as_row(e_bill_row(town.key_of(bill_id), "reversed"), 2)])
    town.drain_all(*STEPS)
    assert town.status(claim_id) == "withdrawn" and guards(town, claim_id) == 0


def test_what_was_paid_outside_of_zhipei_is_not_paid_again(town: Town) -> None:
    who = town.insured()
    town.policy(who, "I1", ratio="1")
    town.policy(who, "I2", ratio="1")
    bill_id = town.bill(who)
    configure(town.insurers["I1"], paid_elsewhere_fen=3_000)
    claims = both(town, who, bill_id)
    accept_all(town, who, claims)
    assert who.get(f"/claims/{claims[0]}")["approved_fen"] == 7_000
    found = who.get(f"/claims/{claims[1]}")
    assert (found["status"], found["reasons"][0]["code"]) == ("ineligible", "borne_used_up"), "nor by another insurer"
    assert paid_fen(town, bill_id) == 7_000
    refused = town.apply_for(who, [bill_id], policy_no="another")
    assert refused.get_json()["code"] == "borne_used_up"
