"""A claim at an insurer that speaks the S200 dialect: uploaded by the hundred, asked after, explained, accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core.work import Runtime
from tests.app.claim.kit import NEVER_S, booked
from tests.app.town import Front, Insured, Partners, Town, configure, peopled

STEPS = ("claim.assemble", "claim.verify", "claim.deliver")
POLL_S = 0.02


@pytest.fixture(scope="module", name="partners")
def s200_partners(runtime: Runtime, client: FlaskClient, front: Front) -> Iterator[Partners]:
    with peopled(runtime, client, front, {"I2": {"dialect": "s200", "poll_s": POLL_S}}) as here:
        yield here


def trades(town: Town) -> Counter[str]:
    """How many messages of each type had their effect at the insurer."""
    return Counter(trade["type"] for trade in town.insurers["I2"].memory.load("trades").values())


def delivered(town: Town, who: Insured, *amounts: int, **terms: Any) -> str:
    """A claim that the insurer has, and does not decide."""
    configure(town.insurers["I2"], delay_s=NEVER_S)
    town.policy(who, "I2", **terms)
    claim_id = town.claim(who, [town.bill(who, amounts or (6_000, 4_000))], "I2")
    town.drain_all(*STEPS)
    assert town.status(claim_id) == "adjudicating"
    return claim_id


def decided(town: Town, claim_id: str, *status: str) -> None:
    town.until(lambda: town.status(claim_id) in (status or ("approved", "rejected")))


def test_a_claim_of_250_fee_rows_and_returns_goes_all_the_way(town: Town) -> None:
    who = town.insured()
    policy_no = town.policy(who, "I2", deductible_fen=1_000)
    amounts = [(number % 97 + 1) * 10 for number in range(247)] + [-300, 500, -120]
    total = sum(amounts)
    before = trades(town)
    claim_id = town.claim(who, [town.bill(who, amounts, fund_fen=2_000)], "I2")
    decided(town, claim_id)
    assert not town.dead()
    sent = trades(town) - before
    assert {kind: sent[kind] for kind in ("S200", "S210", "S250", "S290", "S291", "S340")} == {
        "S200": 1, "S210": 1, "S250": 3, "S290": 1, "S291": 1, "S340": 1}  # fmt: skip
    found = who.get(f"/claims/{claim_id}")
    expected = round((total - 2_000 - 1_000) * 0.9 + 1e-9)
    assert (found["status"], found["policy_no"], found["approved_fen"]) == ("approved", policy_no, expected)
    assert found["case_no"].startswith("I2") and found["case_no"] == case_of(town, claim_id)["case_no"]
    assert [line["billed_fen"] for line in found["lines"]] == amounts
    assert sum(line["approved_fen"] for line in found["lines"]) == expected
    assert {line["approved_fen"] for line in found["lines"] if line["billed_fen"] < 0} == {0}
    assert "免赔额 10.00 元" in found["lines"][0]["in_words"] and "剩余保额" in found["lines"][0]["in_words"]
    assert booked(town, claim_id, "I2") == [("pay", total - 2_000)]
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"]) == ("paid", expected)
    case = case_of(town, claim_id)
    assert case["state"] == "accepted"
    assert [(one["amount_fen"], one["status"]) for one in case["payouts"].values()] == [(expected, "succeeded")]
    assert not town.dead()


def case_of(town: Town, claim_id: str) -> dict[str, Any]:
    no = town.value("SELECT no FROM claim WHERE id = :id", id=claim_id)
    found: dict[str, Any] = town.insurers["I2"].book.case(no)
    return found
