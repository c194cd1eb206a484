"""Batches are dense, hold what changed, and what is remembered of rows moves with them or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hospital_agent import batch as module
from hospital_agent.batch import Parcel, Row
from hospital_agent.canonical import canonical, sha256_hex
from hospital_agent.store.db import Store
from hospital_agent.store.spool import Contended, Spool


def bill(key: str, total_fen: int) -> Row:
    return Row("bill", key, {"total_fen": total_fen, "name": "张·三"})


def put(spool: Spool, *rows: Row, **options: Any) -> list[int]:
    options.setdefault("read_at", spool.position())
    return spool.put(Parcel("record", "2026-11-21", rows, **options))


def body(spool: Spool) -> dict[str, Any]:
    batch = spool.next_unsent()
    assert batch is not None
    return json.loads(batch.body())


def test_a_batch_declares_what_it_holds(spool: Spool) -> None:
    assert put(spool, bill("B1", 100), bill("B2", 250)) == [1]
    sent = body(spool)
    assert (sent["batch_no"], sent["kind"], sent["count"], sent["amount_fen"]) == (1, "record", 2, 350)
    assert sent["sha256"] == sha256_hex(canonical(sent["rows"]))
    assert [row["key"] for row in sent["rows"]] == ["B1", "B2"]


def test_only_what_changed_is_sent_again_and_its_version_grows(spool: Spool) -> None:
    put(spool, bill("B1", 100), bill("B2", 250))
    first = body(spool)["rows"][0]["version"]
    spool.accepted(1)
    assert put(spool, bill("B1", 100), bill("B2", 250)) == []
    assert put(spool, bill("B1", 101), bill("B2", 250)) == [2]
    rows = body(spool)["rows"]
    assert [row["key"] for row in rows] == ["B1"]
    assert rows[0]["version"] > first


def test_batches_leave_in_order_and_are_gone_when_accepted(spool: Spool) -> None:
    put(spool, bill("B1", 1))
    put(spool, bill("B2", 2))
    assert body(spool)["batch_no"] == 1
    spool.accepted(1)
    assert body(spool)["batch_no"] == 2
    assert spool.unjudged() == [1]


def test_large_parcels_are_cut(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    assert put(spool, *[bill(f"B{n}", n) for n in range(7)]) == [1, 2, 3]


def test_large_rows_are_cut_by_bytes(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 300)
    rows = [Row("document", str(n), {"text": "病" * 60}) for n in range(3)]
    assert put(spool, *rows) == [1, 2, 3]


def test_a_state_read_before_a_newer_one_was_spooled_is_refused(spool: Spool) -> None:
    put(spool, bill("B1", 100))
    read_at = spool.position()
    put(spool, bill("B1", 200))
    with pytest.raises(Contended):
        put(spool, bill("B1", 100), read_at=read_at)
    assert spool.unsent() == [1, 2]


def test_marks_move_with_their_rows_or_not_at_all(spool: Spool) -> None:
    read_at = spool.position()
    put(spool, bill("B1", 200), marks={"bulk:bill": "1"})
    with pytest.raises(Contended):
        put(spool, bill("B1", 100), read_at=read_at, marks={"bulk:bill": "2"})
    assert spool.mark("bulk:bill") == "1"


def test_a_whole_parcel_is_sent_unchanged_and_even_empty(spool: Spool) -> None:
    put(spool, bill("B1", 100))
    assert put(spool, bill("B1", 100), whole=True) == [2]
    assert put(spool, whole=True) == [3]
    spool.accepted(1)
    assert body(spool)["count"] == 1
    spool.accepted(2)
    assert (body(spool)["count"], body(spool)["rows"]) == (0, [])


def test_unsent_batches_move_up_when_their_number_is_taken(spool: Spool) -> None:
    put(spool, bill("B1", 1))
    put(spool, bill("B2", 2))
    before = spool.next_unsent()
    spool.renumber()
    assert spool.unsent() == [2, 3]
    after = spool.next_unsent()
    assert before is not None and after is not None
    assert (after.batch_no, after.rows) == (2, before.rows)
    assert after.webhook_id != before.webhook_id
    assert put(spool, bill("B3", 3)) == [4]


def test_bad_rows_are_told_once_and_end_when_they_can_be_read(spool: Spool) -> None:
    assert spool.note_bad([("bill", "B1", "total_fen: not a number")]) == [("bill", "B1", "total_fen: not a number")]
    assert spool.note_bad([("bill", "B1", "total_fen: not a number")]) == []
    put(spool, bill("B1", 1))
    assert spool.bad_rows() == []


def test_what_the_exchange_refused_stays_until_the_row_changes(spool: Spool) -> None:
    put(spool, bill("B1", 1))
    spool.note_bad([("bill", "B1", "exchange: lines_do_not_add_up")])
    put(spool, bill("B1", 1))
    assert spool.bad_rows() == [("bill", "B1", "exchange: lines_do_not_add_up")]
    put(spool, bill("B1", 2))
    assert spool.bad_rows() == []


def test_a_forgotten_row_is_sent_again_with_a_higher_version(spool: Spool) -> None:
    put(spool, bill("B1", 1))
    version = body(spool)["rows"][0]["version"]
    spool.accepted(1)
    spool.forget([("bill", "B1")])
    put(spool, bill("B1", 1))
    assert body(spool)["rows"][0]["version"] > version


def test_nothing_of_a_patient_stays_once_a_batch_is_accepted(spool: Spool, store: Store) -> None:
    put(spool, bill("B1", 1))
    spool.accepted(1)
    assert [row["rows"] for row in store.all("SELECT rows FROM batch")] == [None]


def test_a_batch_that_is_not_taken_is_halved_until_the_row_at_fault_is_alone(spool: Spool) -> None:
    put(spool, *[bill(f"B{n}", n) for n in range(5)])
    taken: dict[int, list[str]] = {}
    while (batch := spool.next_unsent()) is not None:
        sent = json.loads(batch.body())
        assert sent["sha256"] == sha256_hex(canonical(sent["rows"]))
        assert sent["amount_fen"] == sum(row["data"]["total_fen"] for row in sent["rows"])
        keys = [row["key"] for row in sent["rows"]]
        if "B3" in keys:
            spool.split(batch, "invalid")
        else:
            taken[batch.batch_no] = keys
            spool.accepted(batch.batch_no)
    assert sorted(key for keys in taken.values() for key in keys) == ["B0", "B1", "B2", "B4"]
    assert sorted(taken) == list(range(1, len(taken) + 1)), "numbers stay dense"
    assert spool.bad_rows() == [("bill", "B3", "exchange: invalid")]
