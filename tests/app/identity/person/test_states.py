from __future__ import annotations

from itertools import product
from uuid import UUID

import pytest

from app.core.errors import LostRace
from app.identity.person.states import BindingState, bindings
from tests.app.identity.kit import Clinic


def test_whatever_is_not_in_the_table_is_refused(clinic: Clinic) -> None:
    patient = clinic.log_in()
    binding_id = UUID(clinic.bind(patient)["id"])
    for state, event in product(BindingState, bindings.events):
        clinic.rows("UPDATE binding SET status = :state WHERE id = :id", state=state.value, id=binding_id)
        target = bindings.target(state, event)
        with clinic.runtime.work() as work:
            moved = bindings.move(work, [binding_id], event, lenient=True)
        assert [one.new for one in moved] == ([target] if target else [])
        if target is None:
            with pytest.raises(LostRace), clinic.runtime.work() as work:
                bindings.move(work, [binding_id], event)


def test_every_move_is_in_the_audit_trail(clinic: Clinic) -> None:
    patient = clinic.log_in()
    bound = clinic.bind(patient)
    patient.post(f"/bindings/{bound['id']}/revoke")
    trail = clinic.rows(
        "SELECT action, from_status, to_status, actor_kind FROM audit_entry"
        " WHERE subject_id = :id AND to_status IS NOT NULL ORDER BY id",
        id=bound["id"],
    )
    assert [tuple(row) for row in trail] == [
        ("binding.start", None, "pending", "account"),
        ("binding.confirm", "pending", "live", "system"),
        ("binding.revoke", "live", "revoked", "account"),
    ]
