"""Ties, clearing numbers and notes."""

from __future__ import annotations

from hospital_agent.store.db import Store
from hospital_agent.store.registry import Clearing, Clearings, Memo, Ties


def test_ties_are_kept_once_listed_and_revoked(store: Store) -> None:
    ties = Ties(store)
    for _ in range(2):
        ties.tie("A1", "P1")
    ties.tie("A1", "P2")
    assert ties.list() == [
        {"account_ref": "A1", "patient_no": "P1"},
        {"account_ref": "A1", "patient_no": "P2"},
    ]
    ties.untie("A1", "P1")
    assert [tie["patient_no"] for tie in ties.list()] == ["P2"]


def test_a_revoked_tie_leaves_a_tombstone(store: Store) -> None:
    ties = Ties(store)
    assert not ties.revoke("A1", "P1"), "there is no such tie"
    ties.tie("A1", "P1")
    assert ties.revoke("A1", "P1") and not ties.revoke("A1", "P1")
    assert ties.list() == [] and [one["patient_no"] for one in ties.revoked()] == ["P1"]
    assert not ties.tie("A1", "P1") and ties.list() == []
    ties.untie("A1", "P1")
    assert ties.revoked() == [] and ties.tombstones()[0].ended_at is not None
    assert ties.tie("A1", "P1") and ties.revoke("A1", "P1")
    (stone,) = ties.tombstones()
    assert stone.ended_at is None, "revoked once more"


def test_clearing_numbers_are_found_by_their_day(store: Store) -> None:
    clearings = Clearings(store)
    one = Clearing("2026112100000000017", "pay", None, "B1", "2026-11-21")
    clearings.put(one)
    clearings.put(one)
    clearings.put(Clearing("2026112200000000017", "pay", None, "B2", "2026-11-22"))
    assert clearings.on("2026-11-21") == [one]


def test_notes_of_one_handler_do_not_meet_those_of_another(store: Store) -> None:
    Memo(store, "visit").put("V1", {"mdtrt_id": "M1"})
    assert Memo(store, "visit").get("V1") == {"mdtrt_id": "M1"}
    assert Memo(store, "trial").get("V1") is None
