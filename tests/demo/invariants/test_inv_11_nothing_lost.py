from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from demo.invariants.inv_11_nothing_lost import check
from tests.demo.invariants.kit import Ground, Town, one, scene_of

LONG_AGO = datetime.now(UTC) - timedelta(minutes=5)
OFFER = {"offered_slot_id": uuid4(), "offer_until": LONG_AGO}


def test_tasks_of_the_future_and_of_now_are_no_findings(ground: Ground) -> None:
    ground.add("task", kind="audit.seal", args={})
    ground.add("task", kind="settlement.expire", args={}, run_at=datetime.now(UTC) + timedelta(hours=1))
    assert check(scene_of(ground)) == []


def test_a_dead_task_is_named(ground: Ground) -> None:
    row = ground.add("task", kind="claim.deliver", args={}, status="dead", tries=12, last_error="PartnerFault: 422")
    expected = f"task {row['id']} claim.deliver is dead after 12 tries (PartnerFault: 422)"
    one(check(replace(scene_of(ground), finished=False)), expected)


def test_a_task_that_nobody_does_is_named(ground: Ground) -> None:
    ground.add("task", kind="claim.deliver", args={}, run_at=LONG_AGO)
    assert check(replace(scene_of(ground), finished=False)) == []
    one(check(scene_of(ground)), "claim.deliver has been due for")


def test_a_dead_workers_lease_is_named(ground: Ground) -> None:
    row = ground.add("task", kind="claim.deliver", args={}, lease=77)
    one(check(scene_of(ground)), f"task {row['id']} claim.deliver is held by a worker that has died")
    with psycopg.connect(ground.url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as worker:
        worker.execute("SELECT pg_advisory_lock(23120, 77)")
        assert check(scene_of(ground)) == []


@pytest.mark.parametrize(
    ("table", "values", "words"),
    [
        ("command", {"kind": "register", "status": "fetched", "once": False}, "command register"),
        ("binding", {"status": "pending", "seat": 1, "relation": "self"}, "binding"),
        ("waiting_entry", {"status": "offered", "slot_id": uuid4(), **OFFER}, "is still offered"),
        ("registration", {"status": "registering", "no": "rg1"}, "registration rg1 is still registering"),
        ("settlement", {"status": "settled", "no": "st1"}, "settlement st1 is still settled"),
        ("payment_order", {"status": "created", "out_trade_no": "po1", "amount_fen": 1}, "payment order po1"),
        ("refund", {"status": "unknown", "out_refund_no": "rf1", "amount_fen": 1}, "refund rf1 is still unknown"),
        ("payout", {"status": "transferring", "out_no": "tf1", "channel": "bank", "amount_fen": 1}, "payout tf1"),
        ("notice", {"status": "retrying", "template": "paid", "channel": "sms"}, "notice paid"),
        ("data_request", {"status": "open", "request_no": "Q1"}, "data request Q1 is still open"),
    ],
)
def test_what_is_still_under_way_is_named(ground: Ground, table: str, values: dict[str, Any], words: str) -> None:
    ground.add(table, **values)
    assert check(replace(scene_of(ground), finished=False)) == []
    one(check(scene_of(ground)), words)


@pytest.mark.parametrize("status", ["refused", "expired", "cancelled"])
def test_a_fee_that_is_owed_and_not_refunded_is_named(ground: Ground, status: str) -> None:
    order = ground.add("payment_order", status="paid", out_trade_no="po1", amount_fen=5, purpose="appointment")
    ground.add("appointment", no="ap1", status=status, fee_fen=5, payment_order_id=order["id"])
    one(check(scene_of(ground)), f"appointment ap1 is {status}, its fee was paid and is not refunded")
    ground.add("refund", order_id=order["id"], status="succeeded", amount_fen=5, out_refund_no="rf1")
    assert check(scene_of(ground)) == []


@pytest.mark.parametrize("status", ["submitted", "delivering", "adjudicating", "appealed", "accepted", "paying"])
def test_a_claim_that_stopped_on_its_way_is_named(town: Town, status: str) -> None:
    town.claim("CL1", status)
    one(check(scene_of(town.ground)), f"claim CL1 is still {status}")


@pytest.mark.parametrize(("status", "payout"), [("accepted", "failed"), ("paying", "waiting_user_confirm")])
def test_a_claim_that_waits_for_its_patient_is_no_finding(town: Town, status: str, payout: str) -> None:
    claim = town.claim("CL1", status)
    town.claim("CL2", "needs_documents")
    town.claim("CL3", "approved")
    values = {"out_no": "tf1", "channel": "wechat", "amount_fen": 1, "held_for": []}
    town.ground.add("payout", claim_id=claim["id"], status=payout, **values)
    assert check(scene_of(town.ground)) == []


def test_what_is_half_done_is_named(town: Town) -> None:
    ground = town.ground
    ground.add("command", kind="register", status="answered", once=False)
    order = ground.add("payment_order", status="paid", amount_fen=5, out_trade_no="po1")
    ground.add("settlement", no="st1", status="failed", payment_order_id=order["id"])
    ground.add("idempotency_key", principal="account:1", status=None)
    found = check(scene_of(ground))
    assert any("is answered without an answer" in finding for finding in found)
    assert any("settlement st1 failed, its self-pay part was paid and is not refunded" in f for f in found)
    assert any("idempotency key of account:1 has no stored answer" in finding for finding in found)
    assert len(found) == 3
    ground.add("refund", order_id=order["id"], status="succeeded", amount_fen=5)
    assert len(check(scene_of(ground))) == 2


def test_batches_that_are_missing_and_rows_without_a_parent_are_named(town: Town) -> None:
    partner = {"partner_id": town.partners["H1-agent"], "party_id": town.ids["H1"], "kind": "record"}
    town.ground.add("batch", **partner, batch_no=1, status="applied", tally={"applied": 3, "waiting_parent": 2})
    town.ground.add("batch", **partner, batch_no=3, status="applied", tally={"applied": 1}, id=uuid4())
    found = check(scene_of(town.ground))
    assert any("batch H1-agent/1: 2 rows wait for a parent" in finding for finding in found)
    assert any("H1-agent pushed batches up to 3, 2 of them are here" in finding for finding in found)
    assert len(found) == 2
