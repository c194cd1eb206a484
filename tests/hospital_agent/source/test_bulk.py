"""The bulk lane sends all of a source once, then only what changed, and gives way."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from hospital_agent.batch import Parcel, Row
from hospital_agent.sections import BulkConfig, PullConfig
from hospital_agent.source import bulk, records
from hospital_agent.source.bulk import BulkLane
from hospital_agent.source.engine import SourceLink
from hospital_agent.source.idle import IdleTime, NotNow
from hospital_agent.source.pull import PatientLane
from hospital_agent.store.spool import Spool
from tests.hospital_agent.mariadb_his import OldHis
from tests.hospital_agent.small_his import Switch, run


def lane(
    source: SourceLink, spool: Spool, probe: Switch | None = None, night: Switch | None = None, **config: Any
) -> BulkLane:
    idle = IdleTime(source, probe or Switch(), night or Switch(), ask_every_s=0.05)
    return BulkLane(idle, spool, BulkConfig(**config), threading.Event())


def sent(spool: Spool) -> list[dict[str, Any]]:
    """Every row in the spool in order, which is then empty."""
    rows = []
    while (batch := spool.next_unsent()) is not None:
        rows += json.loads(batch.rows)
        spool.accepted(batch.batch_no)
    return rows


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{row['type']} {row['key']}" for row in rows]


def test_everything_is_sent_once_parents_first(small: SourceLink, spool: Spool) -> None:
    work = lane(small, spool)
    assert work.scan() == 1
    rows = sent(spool)
    assert [row["type"] for row in rows] == ["visit"] * 5 + ["bill"] * 5 + ["fee_line"] * 5
    assert rows[0]["data"] == {
        "patient_no": "P1",
        "kind": "outpatient",
        "campus": None,
        "department_name": "内科",
        "doctor_name": None,
        "started_at": "2026-11-01T00:00:00Z",
        "ended_at": None,
        "booked_in_wechat": False,
        "appointment_no": None,
    }
    assert rows[5]["data"]["total_fen"] == 1001
    assert rows[10]["data"]["unit_price"] == "10.010000"
    assert work.scan() == 0


def test_then_only_what_changed(small: SourceLink, spool: Spool) -> None:
    work = lane(small, spool)
    work.scan()
    sent(spool)
    run(
        small,
        "UPDATE jz SET jssj = '2026-11-02', xgsj = '2026-11-02' WHERE jzh = 2; UPDATE jsd SET zt = '3' WHERE jzh = 1",
    )
    work.scan()
    assert names(sent(spool)) == ["visit 2", "bill B1"]


def test_a_late_commit_within_the_overlap_is_found(small: SourceLink, spool: Spool) -> None:
    work = lane(small, spool)
    work.scan()
    sent(spool)
    run(small, "INSERT INTO jz VALUES (6, 'P6', '外科', '2', '2026-11-01', NULL, '2026-11-01 00:00:04.5')")
    work.scan()
    assert names(sent(spool)) == ["visit 6"]


def test_a_row_from_the_future_hides_nothing(small: SourceLink, spool: Spool) -> None:
    work = lane(small, spool)
    run(small, "UPDATE jz SET xgsj = '2999-01-01' WHERE jzh = 1")
    work.scan()
    sent(spool)
    run(small, "INSERT INTO jz VALUES (6, 'P6', '外科', '2', '2026-11-01', NULL, now() AT TIME ZONE 'Asia/Shanghai')")
    work.scan()
    assert names(sent(spool)) == ["visit 6"]


def test_a_large_table_without_a_mark_is_compared_window_by_window(small: SourceLink, spool: Spool) -> None:
    work = lane(small, spool, window_rows=2)
    found = []
    for _ in range(5):
        work.scan()
        found += names(sent(spool))
    assert sorted(found) == sorted(set(found))
    assert len(found) == 15
    run(small, "UPDATE mx SET je = je + 1 WHERE jsdh = 'B1'; UPDATE mx SET je = je + 1 WHERE jsdh = 'B5'")
    again = []
    for _ in range(4):
        work.scan()
        again += names(sent(spool))
    assert sorted(again) == ["fee_line B1-1", "fee_line B5-1"]


LESS = "UPDATE jsd SET zje = zje - 1, zf = zf - 1 WHERE jsdh = 'B3'; DELETE FROM mx WHERE jsdh = 'B3' AND xh = 2"
MORE = "INSERT INTO mx VALUES ('B3', 2, '葡萄糖', 1, 1, 1); UPDATE jsd SET zje = zje + 1, zf = zf + 1 WHERE jsdh = 'B3'"


@pytest.mark.parametrize("pulled", [False, True])
def test_a_line_that_the_hospital_deletes_is_taken_back(small: SourceLink, spool: Spool, pulled: bool) -> None:
    run(small, MORE)
    lane(small, spool).scan()
    first = {row["key"]: row for row in sent(spool)}
    run(small, LESS)
    if pulled:
        PatientLane(small, spool, PullConfig()).bill("B3")
    again = lane(small, spool, night=Switch(idle=not pulled))
    again.scan()
    bill, line = sent(spool)
    assert (bill["key"], bill["data"]["total_fen"]) == ("B3", 3003)
    assert (line["key"], line["data"]["bill_key"], line["data"]["line_no"]) == ("B3-2", "B3", 2)
    assert (line["data"]["quantity"], line["data"]["amount_fen"]) == ("0.0000", 0)
    assert line["version"] > first["B3-2"]["version"]
    assert (again.scan(), spool.lines.changed_bills(), spool.bad_rows()) == (0, [], [])
    run(small, MORE)
    again.scan() if not pulled else PatientLane(small, spool, PullConfig()).bill("B3")
    assert names(sent(spool)) == ["bill B3", "fee_line B3-2"], "it may come back"


def test_no_line_is_taken_back_before_the_rest_adds_up(small: SourceLink, spool: Spool) -> None:
    run(small, MORE)
    work = lane(small, spool)
    work.scan()
    sent(spool)
    run(small, "UPDATE jsd SET zf = zf + 1, jj = jj - 1 WHERE jsdh = 'B3'; DELETE FROM mx WHERE jsdh = 'B3'")
    work.scan()
    assert names(sent(spool)) == ["bill B3"]
    assert spool.lines.changed_bills() == ["B3"], "nobody knows yet what has become of its lines"
    run(small, "UPDATE jsd SET zje = 0.001 WHERE jsdh = 'B3'")
    work.scan()
    assert (sent(spool), spool.lines.changed_bills()) == ([], ["B3"]), "nor whether the bill can be read"
    run(small, "UPDATE jsd SET zje = 0, zf = 0, jj = 0, zh = 0 WHERE jsdh = 'B3'")
    work.scan()
    assert names(sent(spool)) == ["bill B3", "fee_line B3-1", "fee_line B3-2"]
    assert spool.lines.changed_bills() == []


def test_a_line_that_moves_to_another_bill_is_not_taken_back(small: SourceLink, spool: Spool) -> None:
    by_number = {"fee_line": replace(small.mapping.entities["fee_line"], key=("xh",))}
    small = replace(small, mapping=replace(small.mapping, entities={**small.mapping.entities, **by_number}))
    run(small, "UPDATE mx SET xh = substr(jsdh, 2)::int")
    run(small, MORE.replace("2", "9"))
    work = lane(small, spool)
    work.scan()
    assert "fee_line 9" in names(sent(spool))
    run(
        small,
        "UPDATE mx SET jsdh = 'B4' WHERE xh = 9; UPDATE jsd SET zje = zje - 1 WHERE jsdh = 'B3';"
        "UPDATE jsd SET zje = zje + 1 WHERE jsdh = 'B4'",
    )
    work.scan()
    rows = sent(spool)
    assert names(rows) == ["bill B3", "bill B4", "fee_line 9"]
    assert (rows[2]["data"]["bill_key"], rows[2]["data"]["amount_fen"]) == ("B4", 100)
    assert (work.scan(), spool.lines.changed_bills()) == (0, [])


def test_a_row_that_cannot_be_read_is_reported_and_the_others_are_sent(small: SourceLink, spool: Spool) -> None:
    run(small, "UPDATE jsd SET zje = 1.005 WHERE jsdh = 'B3'; UPDATE jsd SET zt = '9' WHERE jsdh = 'B4'")
    lane(small, spool).scan()
    assert spool.bad_rows() == [
        ("bill", "B3", "total_fen: not a whole number of fen"),
        ("bill", "B4", "status: a code that is not in the code table"),
    ]
    bills = [name for name in names(sent(spool)) if name.startswith("bill")]
    assert bills == ["bill B1", "bill B2", "bill B5"]


def test_a_time_that_is_none_makes_its_row_bad_and_no_other(small: SourceLink, spool: Spool) -> None:
    run(small, "UPDATE jz SET kssj = 'infinity' WHERE jzh = 2; UPDATE jz SET jssj = '10000-01-01' WHERE jzh = 3")
    run(small, "UPDATE jz SET kssj = '0044-03-15 BC' WHERE jzh = 4; UPDATE jsd SET rq = '-infinity' WHERE jsdh = 'B1'")
    lane(small, spool).scan()
    assert [(kind, key, reason.split(":")[0]) for kind, key, reason in spool.bad_rows()] == [
        ("bill", "B1", "billed_on"),
        ("fee_line", "B1-1", "at"),
        ("visit", "2", "started_at"),
        ("visit", "3", "ended_at"),
        ("visit", "4", "started_at"),
    ]
    assert len(sent(spool)) == 10


def test_a_time_of_change_that_is_none_neither_blocks_nor_moves_the_mark(small: SourceLink, spool: Spool) -> None:
    run(small, "UPDATE jz SET xgsj = 'infinity' WHERE jzh IN (1, 5); UPDATE jz SET xgsj = '-infinity' WHERE jzh = 2")
    work = lane(small, spool, night=Switch())
    work.scan()
    assert len(sent(spool)) == 15, "nothing is wrong with what the rows say"
    late = "INSERT INTO jz VALUES (6, 'P6', '外科', '2', '2026-11-01', NULL, '2026-11-01 00:00:04.5')"
    run(small, late)
    lane(small, spool, night=Switch(idle=False)).scan()
    assert names(sent(spool)) == ["visit 6"]
    assert "2026-11-01T00:00:04.5" in (spool.mark("bulk:visit") or "")


def test_nothing_but_times_that_are_none_leaves_the_mark_alone(small: SourceLink, spool: Spool) -> None:
    run(small, "UPDATE jz SET xgsj = 'infinity'")
    lane(small, spool).scan()
    assert (len(sent(spool)), spool.mark("bulk:visit")) == (15, None)


def test_zero_dates_of_mariadb_are_none(old: SourceLink, old_his: OldHis, spool: Spool) -> None:
    old_his.run(
        "SET SESSION sql_mode = ''; UPDATE t_mzjz SET kssj = '0000-00-00 00:00:00' WHERE jzlsh = 7;"
        "UPDATE t_mzjz SET xgsj = '0000-00-00 00:00:00' WHERE jzlsh = 8"
    )
    lane(old, spool, spool_batches=100).scan()
    assert spool.bad_rows() == [("visit", "7", "started_at: not a date or time")]
    assert "visit 8" in names(sent(spool))
    assert "0000" not in (spool.mark("bulk:visit") or "0000")


def test_a_mended_row_is_sent(small: SourceLink, spool: Spool) -> None:
    run(small, "UPDATE jsd SET zje = 1.005 WHERE jsdh = 'B3'")
    lane(small, spool).scan()
    sent(spool)
    run(small, "UPDATE jsd SET zje = 1.01 WHERE jsdh = 'B3'")
    lane(small, spool).scan()
    assert names(sent(spool)) == ["bill B3"]
    assert spool.bad_rows() == []


def test_nothing_is_read_into_the_spool_while_the_source_is_busy(small: SourceLink, spool: Spool) -> None:
    probe = Switch(idle=False)
    with pytest.raises(NotNow, match="source_busy"):
        lane(small, spool, probe).scan()
    assert spool.unsent() == []
    probe.idle = True
    assert lane(small, spool, probe).scan() == 1


def test_the_probe_is_asked_between_portions_and_the_marks_stay_where_the_reading_ended(
    small: SourceLink, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PARTITION", 2)
    monkeypatch.setattr(records, "PARTITION", 2)
    probe = Switch()
    work = lane(small, spool, probe)

    def get_busy() -> None:
        probe.idle = False

    work.on_spooled = get_busy
    with pytest.raises(NotNow, match="source_busy"):
        work.scan()
    assert names(sent(spool)) == ["visit 1", "visit 2"]
    probe.idle, work.on_spooled = True, lambda: None
    work = lane(small, spool, probe, spool_batches=100)
    work.scan()
    assert len(names(sent(spool))) == 13, "every other row, and none twice"


def test_by_day_no_table_is_read_whole(small: SourceLink, spool: Spool) -> None:
    night = Switch(idle=False)
    work = lane(small, spool, night=night)
    assert work.scan() == 0, "nothing has been loaded yet"
    night.idle = True
    work.scan()
    assert len(sent(spool)) == 15
    night.idle = False
    run(
        small,
        "UPDATE jz SET jssj = '2026-11-02', xgsj = '2026-11-02' WHERE jzh = 2; UPDATE jsd SET zt = '3' WHERE jzh = 1;"
        "INSERT INTO jz VALUES (6, 'P6', '外科', '2', '2026-11-01', NULL, NULL)",
    )
    work.scan()
    assert names(sent(spool)) == ["visit 2"], "bills have no time of change, and visit 6 has none yet"
    night.idle = True
    work.scan()
    assert names(sent(spool)) == ["visit 6", "bill B1"]


def test_a_first_load_that_the_morning_ends_goes_on_in_the_next_night(
    small: SourceLink, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PARTITION", 2)
    monkeypatch.setattr(records, "PARTITION", 2)
    night = Switch()
    work = lane(small, spool, night=night, spool_batches=100)

    def dawn() -> None:
        night.idle = False

    work.on_spooled = dawn
    with pytest.raises(NotNow, match="by_night_only"):
        work.scan()
    assert names(sent(spool)) == ["visit 1", "visit 2"]
    assert work.scan() == 0
    night.idle, work.on_spooled = True, lambda: None
    work.scan()
    assert len(sent(spool)) == 13


def test_a_patient_of_whom_a_pull_left_rows_is_read_to_the_end_by_day(small: SourceLink, spool: Spool) -> None:
    pulled = PatientLane(small, spool, PullConfig(max_rows=3)).patient("P2")
    assert not pulled.complete
    assert len(sent(spool)) == 3
    work = lane(small, spool, night=Switch(idle=False))
    work.scan()
    assert len(sent(spool)) == 3
    assert spool.incomplete() == []
    assert work.scan() == 0
    pull = PatientLane(small, spool, PullConfig(max_rows=3))
    assert pull.patient("P2").complete, "asked again, there is nothing that has not been sent"
    assert spool.incomplete() == []
    run(small, "UPDATE jz SET ks = '骨科' WHERE jzh = 5")
    assert not pull.patient("P2").complete, "what is new may have come with more than a pull reads"
    assert spool.incomplete() == ["P2"]


def test_a_full_spool_holds_the_lane_back_and_it_resumes(
    small: SourceLink, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PARTITION", 1)
    work = lane(small, spool, spool_batches=2)
    monkeypatch.setattr(work._stop, "wait", lambda _: None)
    with pytest.raises(NotNow, match="spool_full"):
        work.scan()
    assert len(spool.unsent()) == 2
    found = names(sent(spool))
    work = lane(small, spool, spool_batches=100)
    work.scan()
    found += names(sent(spool))
    assert len(found) == len(set(found)) == 15


def test_another_reader_who_was_faster_makes_the_lane_read_again(
    small: SourceLink, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = lane(small, spool)
    work.scan()
    run(small, "UPDATE jsd SET zt = '3' WHERE jsdh = 'B1'")
    put = spool.put

    def overtaken(parcel: Parcel) -> list[int]:
        monkeypatch.setattr(spool, "put", put)
        put(Parcel("record", "2026-11-21", [Row("bill", "B1", {"total_fen": 1})], spool.position()))
        return put(parcel)

    monkeypatch.setattr(spool, "put", overtaken)
    with pytest.raises(NotNow, match="contended"):
        work.scan()
    work.scan()
    assert sent(spool)[-1]["data"]["status"] == "refunded"
