"""What risk rules hold needs two different people of the right insurer."""

from __future__ import annotations

from uuid import UUID

import pytest
from pydantic import ValidationError

from app.core.errors import Conflict, NotFound
from app.payout import service
from app.payout.contracts import Reject
from app.payout.service import Operator
from tests.app.payout.kit import asked, bank, created, operator, send, status
from tests.app.town import Insured, Town


@pytest.fixture
def who(town: Town) -> Insured:
    return town.insured()


def people(town: Town, who: Insured, party: str = "I1") -> tuple[Operator, Operator]:
    party_id = UUID(str(town.value("SELECT id FROM party WHERE code = :code", code=party)))
    first, second = (operator(town, f"{party}-{who.patient_no}-{place}", party) for place in (1, 2))
    return Operator(first, party_id), Operator(second, party_id)


def test_a_large_payout_goes_out_when_two_different_people_have_approved(town: Town, who: Insured) -> None:
    claim_id, payout_id = created(town, who, 10_000_00, payee=bank())
    first, second = people(town, who)
    send(town)
    assert (status(town, payout_id), asked(town, payout_id)) == ("held", 0)
    with town.runtime.work() as work:
        assert service.approve(work, first, UUID(payout_id)).status == "held"
    with pytest.raises(Conflict, match="second_person_needed"), town.runtime.work() as work:
        service.approve(work, first, UUID(payout_id))
    send(town)
    assert asked(town, payout_id) == 0
    with town.runtime.work() as work:
        service.approve(work, second, UUID(payout_id))
    town.until(lambda: town.status(claim_id) == "paid")
    with pytest.raises(Conflict, match="not_held"), town.runtime.work() as work:
        service.approve(work, second, UUID(payout_id))


def test_another_insurers_people_neither_see_nor_approve_it(town: Town, who: Insured) -> None:
    _, payout_id = created(town, who, 10_000_00, payee=bank())
    stranger, _ = people(town, who, "I2")
    for act in (
        lambda work: service.approve(work, stranger, UUID(payout_id)),
        lambda work: service.reject(work, stranger, UUID(payout_id), "no"),
    ):
        with pytest.raises(NotFound), town.runtime.work() as work:
            act(work)
    assert status(town, payout_id) == "held"


def test_blanks_are_no_reason() -> None:
    with pytest.raises(ValidationError):
        Reject.model_validate({"reason": " " * 7})
    assert Reject.model_validate({"reason": " 收款信息可疑 "}).reason == "收款信息可疑"


def test_a_rejected_payout_leaves_the_claim_to_another_way(town: Town, who: Insured) -> None:
    claim_id, payout_id = created(town, who, 10_000_00, payee=bank())
    first, _ = people(town, who)
    with town.runtime.work() as work:
        service.reject(work, first, UUID(payout_id), "收款信息可疑")
    found = who.get(f"/payouts/{payout_id}")
    assert (found["status"], town.status(claim_id)) == ("cancelled", "accepted") and found["failed"]
    send(town)
    assert asked(town, payout_id) == 0


def test_many_payouts_a_day_are_held_too(town: Town, who: Insured) -> None:
    held = [status(town, created(town, who, 1_000)[1]) for _ in range(6)]
    assert held == ["approved"] * 5 + ["held"]
