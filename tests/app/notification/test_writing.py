"""Who is told at all."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from app.notification import service
from app.notification.service import Told
from tests.app.patients import House, Known


@pytest.fixture
def patient(house: House) -> Known:
    return house.known()


def unbind(house: House, patient: Known) -> None:
    [bound] = patient.get("/bindings").get_json()["bindings"]
    assert patient.post(f"/bindings/{bound['id']}/revoke").status_code == 200


def write(house: House, patient: Known, person_id: UUID | None, *, all_at_once: bool) -> int:
    """How many notices there are after the patient should have been told."""
    told = Told(patient.account_id, uuid4(), uuid4().hex, person_id)
    with house.runtime.work() as work:
        if all_at_once:
            service.notify_all(
                work, "registered", [told, Told(patient.account_id, told.subject, uuid4().hex, uuid4())], {}
            )
        else:
            service.notify(work, "registered", told, {})
    return int(house.value("SELECT count(*) FROM notice WHERE subject = :id", id=told.subject))


@pytest.mark.parametrize("all_at_once", [False, True])
def test_of_a_person_only_who_is_bound_is_told(house: House, patient: Known, all_at_once: bool) -> None:
    assert write(house, patient, patient.person_id, all_at_once=all_at_once) == 1
    assert write(house, patient, house.known().person_id, all_at_once=all_at_once) == 0
    unbind(house, patient)
    assert write(house, patient, patient.person_id, all_at_once=all_at_once) == 0
    assert write(house, patient, None, all_at_once=all_at_once) == 1, "the user's own affair"


@pytest.mark.parametrize("all_at_once", [False, True])
@pytest.mark.parametrize("template", ["payment_used", "refunded", "refund_failed"])
def test_of_their_own_money_the_payer_is_told_whoever_they_are_bound_to(
    house: House, patient: Known, template: str, all_at_once: bool
) -> None:
    unbind(house, patient)
    told, params = Told(patient.account_id, uuid4(), uuid4().hex, patient.person_id), {"what": "挂号费"}
    with house.runtime.work() as work:
        if all_at_once:
            service.notify_all(work, template, [told], params)
        else:
            service.notify(work, template, told, params)
    found = house.rows("SELECT account_id, person_id FROM notice WHERE subject = :id", id=told.subject)
    assert [tuple(one) for one in found] == [(patient.account_id, None)]
