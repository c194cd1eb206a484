"""What the database itself refuses, whatever a program does."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.app.identity.kit import Clinic


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("seat = 6", "ck_binding_seat"),
        ("seat = 0", "ck_binding_seat"),
        ("relation = 'friend'", "ck_binding_relation"),
        ("person_id = NULL", "ck_binding_live_has_person"),
        ("child = true, guardian_id = NULL, relation = 'child'", "ck_binding_guardian"),
        ("child = true, guardian_id = person_id", "ck_binding_guardian"),
    ],
)
def test_a_binding_that_cannot_be(clinic: Clinic, change: str, constraint: str) -> None:
    bound = clinic.bind(clinic.log_in())
    with pytest.raises(IntegrityError, match=constraint), clinic.runtime.work() as work:
        work.session.execute(text(f"UPDATE binding SET {change} WHERE id = :id"), {"id": bound["id"]})  # noqa: S608


@pytest.mark.parametrize("same", ["seat", "document_index", "relation"])
def test_seats_documents_and_oneself_are_single(clinic: Clinic, same: str) -> None:
    patient = clinic.log_in()
    first, second = clinic.bind(patient), clinic.bind(patient, relation="spouse")
    copy = text(f"UPDATE binding SET {same} = (SELECT {same} FROM binding WHERE id = :first) WHERE id = :second")  # noqa: S608
    ids: dict[str, Any] = {"first": first["id"], "second": second["id"]}
    with pytest.raises(IntegrityError, match="uq_binding_"), clinic.runtime.work() as work:
        work.session.execute(copy, ids)
    patient.post(f"/bindings/{first['id']}/revoke")
    with clinic.runtime.work() as work:
        work.session.execute(copy, ids)  # an ended binding takes no seat
