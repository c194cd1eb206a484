from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.audit.models import AuditEntry
from app.audit.rules import GENESIS, entry_hash
from demo.invariants import sealing
from demo.invariants.inv_09_audit import check
from tests.demo.invariants.kit import NOON, Ground, Town, one, scene_of


def chain(ground: Ground, count: int = 3) -> None:
    """Entries that the product's own formula chained."""
    prev = GENESIS
    for seq in range(1, count + 1):
        row = ground.add(
            "audit_entry", actor_kind="system", actor_id="worker", action="read.person", subject_type="person",
            subject_id=uuid4(), detail={"why": "核验", "n": seq, "deep": {"b": 1, "a": None}}, xid=1,
            at=NOON + timedelta(microseconds=seq), seq=seq, prev_hash=prev,
        )  # fmt: skip
        at_us = int(row["at"].timestamp()) * 1_000_000 + row["at"].microsecond
        entry = AuditEntry(**{name: value for name, value in row.items() if name != "hash"})
        prev = entry_hash(prev, seq, at_us, entry)
        ground.run("UPDATE audit_entry SET hash = %s WHERE id = %s", prev, row["id"])


def test_the_products_chain_holds(ground: Ground) -> None:
    chain(ground)
    assert check(scene_of(ground)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE audit_entry SET detail = '{}' WHERE seq = 2", "number 2 of the chain, does not fit"),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 3", "number 3 of the chain"),
        ("DELETE FROM audit_entry WHERE seq = 1", "the audit chain has no entry 1"),
        ("UPDATE audit_entry SET seq = seq + 1 WHERE seq = 3", "the audit chain has no entry 3"),
    ],
)
def test_a_changed_or_missing_entry_is_named(ground: Ground, change: str, words: str) -> None:
    chain(ground)
    ground.run(change)
    one(check(scene_of(ground)), words)


def test_what_is_not_sealed_for_long_is_named(ground: Ground) -> None:
    entry: dict[str, Any] = {"action": "read.person", "subject_id": uuid4(), "detail": {}, "xid": 1}
    ground.add("audit_entry", **entry, at=datetime.now(UTC))
    assert check(scene_of(ground)) == []
    ground.add("audit_entry", **entry, at=datetime.now(UTC) - timedelta(seconds=60))
    one(check(scene_of(ground)), "2 audit entries are not sealed")


def fresh(ground: Ground) -> None:
    """What `walk` writes is as new as if it had just happened."""
    ground.run("UPDATE audit_entry SET at = clock_timestamp()")


def test_a_status_with_its_trail_is_no_finding(ground: Ground, town: Town) -> None:
    claim = town.claim("CL1", "assembling")
    ground.walk("claim", claim["id"], "submitted", "assembling")
    fresh(ground)
    assert check(scene_of(ground)) == []


def test_a_status_that_the_trail_does_not_know_is_named(ground: Ground, town: Town) -> None:
    claim = town.claim("CL1", "paid")
    other = town.claim("CL2", "submitted")
    ground.walk("claim", claim["id"], "submitted", "assembling")
    fresh(ground)
    found = check(scene_of(ground))
    assert sorted(found) == sorted([
        f"claim {claim['id']} is paid, its audit trail ends with assembling",
        f"claim {other['id']} is submitted, its audit trail ends with nothing",
    ])  # fmt: skip


def test_while_the_day_goes_on_the_trail_may_be_ahead(ground: Ground, town: Town) -> None:
    claim = town.claim("CL1", "submitted")
    ground.walk("claim", claim["id"], "submitted", "assembling")
    fresh(ground)
    assert check(replace(scene_of(ground), finished=False)) == []
    one(check(scene_of(ground)), "is submitted, its audit trail ends with assembling")


def test_a_row_changed_behind_the_programs_back_is_named(ground: Ground, town: Town) -> None:
    bill = town.bill()
    claim = town.claim("CL1", "approved")
    ground.walk("claim", claim["id"], "approved")
    fresh(ground)
    town.clearing(claim, bill, 1, approved_fen=100)
    assert check(scene_of(ground)) == []
    ground.run("UPDATE bill SET fund_fen = 1")
    one(check(scene_of(ground)), f"bill {bill['id']} was changed behind the program's back")


def test_a_table_whose_check_field_nobody_wrote_down_is_named(ground: Ground) -> None:
    ground.run("CREATE TABLE bonus (id int, check_field text)")
    one(check(scene_of(ground)), "table bonus has a check field")


def test_without_the_master_key_nothing_is_proved(ground: Ground) -> None:
    one(check(scene_of(ground, master_key="")), "without the master key")


def test_data_that_left_unread_are_named(ground: Ground, town: Town) -> None:
    person = uuid4()
    ids = {"hospital_id": town.ids["H1"], "person_id": person, "command_id": uuid4()}
    row = ground.add("registration", **ids, no="rg1", status="registering")
    ground.walk("registration", row["id"], "queued", "registering")
    fresh(ground)
    one(check(scene_of(ground)), "registration rg1: no audit entry says that its data were read")
    ground.add("audit_entry", action="read.person", subject_id=person, detail={}, xid=1, at=datetime.now(UTC))
    assert check(scene_of(ground)) == []


def test_the_oldest_master_key_checks() -> None:
    """RFC 5869 by hand is what the product's library computes; see the kit, whose rows the product's own code signs."""
    newer = "new:" + "A" * 43 + "="
    old = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert sealing.check_key(f"{newer},{old}") == sealing.check_key(old) != sealing.check_key(newer)
