"""A claim from the patient's wish to the money, with the insurer's and the bank's doubles."""

from __future__ import annotations

from tests.app.town import Town


def test_a_claim_is_assembled_verified_delivered_adjudicated_accepted_and_paid(town: Town) -> None:
    who = town.insured()
    policy_no = town.policy(who)
    claim_id = town.claim(who, [town.bill(who, (6_000, 4_000), fund_fen=2_000)])
    town.settle_down()
    assert not town.dead()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["policy_no"], found["approved_fen"]) == ("approved", policy_no, 7_200), found
    assert [line["approved_fen"] for line in found["lines"]] == [4_320, 2_880]
    assert who.post(f"/claims/{claim_id}/accept").status_code == 200
    town.settle_down()
    found = who.get(f"/claims/{claim_id}")
    assert (found["status"], found["paid_fen"]) == ("paid", 7_200)
    assert not town.dead()
