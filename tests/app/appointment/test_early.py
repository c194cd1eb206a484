"""What a burst hears of a full slot: the same refusal as the long way gives, and one read of what is free nearby."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from app.appointment import contracts as c
from app.appointment import early, service
from app.core.errors import Conflict
from app.core.idempotency import Asked
from tests.app.appointment.crowd import crowd
from tests.app.appointment.kit import Desk
from tests.app.kit import Thread


def refusal(ask: Callable[[], object]) -> tuple[str, str, dict[str, str]]:
    with pytest.raises(Conflict) as refused:
        ask()
    return refused.value.code, refused.value.message, refused.value.fields


def test_a_full_slot_is_refused_early_as_it_would_be_late(desk: Desk) -> None:
    department = f"dep-{uuid4().hex}"
    near_id, slot_id = (desk.slot(department_code=department, capacity=places) for places in (1, 0))
    [one] = crowd(desk, 1)
    wanted = c.Book(person_id=one.person_id, slot_id=slot_id)

    def ask_late() -> None:
        with desk.house.runtime.work() as work:
            service.book(work, one.account_id, wanted)

    runtime, asked = desk.house.runtime, Asked(f"account:{one.account_id}", uuid4().hex)
    found = refusal(lambda: service.refuse_in_vain(runtime, asked, one.account_id, wanted))
    assert found == refusal(ask_late) and found[0] == "slot_full" and str(near_id) in found[2]
    # A stranger's person, and a slot that nobody knows, go the whole way.
    service.refuse_in_vain(runtime, asked, uuid4(), wanted)
    service.refuse_in_vain(runtime, asked, one.account_id, c.Book(person_id=one.person_id, slot_id=uuid4()))


def test_what_is_free_nearby_is_read_by_one_while_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "NEARBY_LIFE_S", 60.0)
    nearby, slot_id = early._Nearby(), UUID(int=1)
    nearby._known[slot_id] = (-1e9, {"a": "old"})
    reading, done = threading.Event(), threading.Event()

    def slowly() -> dict[str, str]:
        reading.set()
        assert done.wait(10)
        return {"a": "new"}

    reader = Thread(lambda: nearby.of(slot_id, slowly))
    assert reading.wait(10)
    assert nearby.of(slot_id, lambda: {"a": "read twice"}) == {"a": "old"}
    done.set()
    assert reader.result(10) == {"a": "new"} == nearby.of(slot_id, dict)
