"""The ledger of a day comes from the hospital's own books, whole, and never from what the platform said."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from hospital_agent.errors import Temporary
from hospital_agent.handlers.ledger import Ledger
from hospital_agent.source.engine import SourceLink
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Clearings
from hospital_agent.store.spool import Spool
from tests.hospital_agent.handlers.kit import DAY, Site
from tests.hospital_agent.mariadb_his import OldHis
from tests.hospital_agent.small_his import always_idle, run

DATE = DAY.isoformat()
NEXT = "2026-11-22"


def clear(site: Site, number: str, bill_key: str, **changes: Any) -> None:
    body = {
        "clearing_no": number,
        "kind": "pay",
        "original_clearing_no": None,
        "bill_key": bill_key,
        "business_date": DATE,
    }
    assert site.ask("clearing", **body | changes).outcome == "done"


def collect(site: Site, day: str = DATE) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    answer = site.ask("collect_ledger", business_date=day)
    assert answer.outcome == "done"
    batch = site.spool.next_unsent()
    assert batch is not None
    site.spool.accepted(batch.batch_no)
    assert (batch.count, batch.amount_fen) == (answer.body["count"], answer.body["amount_fen"])
    return dict(answer.body), json.loads(batch.rows)


def settled_bill(site: Site) -> tuple[str, int]:
    """A settled bill of the hospital and what its patient bore, straight from its tables."""
    sql = "SELECT jsdh, (zje - tczf) * 100 FROM sf_jsd WHERE zt = '1' ORDER BY jsdh LIMIT 1"
    with site.source.engine.connect() as connection:
        key, fen = connection.exec_driver_sql(sql).one()
    return key, int(fen)


def test_an_empty_day_is_told_as_such(site: Site) -> None:
    body, rows = collect(site)
    assert (body["count"], body["amount_fen"], rows) == (0, 0, [])


def test_what_the_patient_bore_is_read_from_the_books(site: Site) -> None:
    bill_key, borne_fen = settled_bill(site)
    clear(site, "2026112100000000017", bill_key)
    clear(site, "2026112100000000025", bill_key, kind="reverse", original_clearing_no="2026112100000000017")
    _, rows = collect(site)
    assert [row["data"]["amount_fen"] for row in rows] == [borne_fen, borne_fen]
    assert [row["data"]["kind"] for row in rows] == ["pay", "reverse"]
    assert rows[0]["data"]["status"] == "settled"


def test_a_bill_that_the_books_do_not_have_gives_no_row(site: Site) -> None:
    clear(site, "2026112100000000033", "no such bill")
    assert collect(site)[1] == []


def test_another_day_is_another_ledger(site: Site) -> None:
    clear(site, "2026112000000000018", settled_bill(site)[0], business_date="2026-11-20")
    assert collect(site)[1] == []


def test_the_ledger_is_sent_whole_again(site: Site) -> None:
    clear(site, "2026112100000000041", settled_bill(site)[0])
    first, second = collect(site), collect(site)
    assert first[1] == second[1]
    assert second[0]["batch_no"] == first[0]["batch_no"] + 1


def test_totals_are_those_of_the_rows_that_it_would_push(site: Site) -> None:
    bill_key, _ = settled_bill(site)
    clear(site, "2026112100000000058", bill_key)
    clear(site, "2026112100000000009", bill_key, kind="reverse", original_clearing_no="2026112100000000058")
    told = site.ask("collect_ledger", business_date=DATE, totals=True)
    assert (told.outcome, site.spool.next_unsent()) == ("done", None), "nothing is pushed"
    body, sent = collect(site)
    rows = [row["data"] for row in sent]
    lines = sorted(f"{r['clearing_no']},{r['kind']},{r['amount_fen']},{r['status']}\n" for r in rows)
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert told.body == {name: body[name] for name in ("count", "amount_fen", "bad")} | {"sha256": digest}


def test_rows_that_the_hospital_booked_itself_are_in_it(site: Site) -> None:
    added = {"clearing_no": "2026112290000000013", "amount_fen": 4200}
    with site.his.app.test_client() as client:
        answer = client.post("/__mock__/alter", json={"business_date": NEXT, "add": [added]})
        assert answer.status_code == 200, answer.text
    own = [row["data"] for row in collect(site, NEXT)[1] if row["data"]["clearing_no"] == added["clearing_no"]]
    assert [row["amount_fen"] for row in own] == [4200]
    assert own[0]["status"] == "settled"


def test_a_date_that_is_none_is_refused(site: Site) -> None:
    assert site.ask("collect_ledger", business_date="today").code == "malformed_command"


MOMENTS = ("2026-11-20 23:59:59", "2026-11-21 00:00:00", "2026-11-21 23:59:59", "2026-11-22 00:00:00")
"""Of the ledger's rows 0 to 3; of these 1 and 2 are the day's."""


def own(source: SourceLink, store: Store) -> list[str]:
    """The numbers of the day's rows in the books."""
    ledger = Ledger(always_idle(source), Spool(store), Clearings(store), lambda _: None)
    return [row.data["clearing_no"] for row in ledger.read(DAY).rows]


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_a_day_is_found_in_columns_of_every_kind(small: SourceLink, store: Store, kind: str) -> None:
    run(small, f"ALTER TABLE qs ALTER ywrq TYPE {kind}")
    for number, moment in enumerate(MOMENTS):
        values = f"'{number}', '1', NULL, 1, 'settled', NULL, '{moment}+08'"
        run(small, f"INSERT INTO qs VALUES ({values})")  # noqa: S608 - of our own
    assert own(small, store) == ["1", "2"]


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("char(8)", "%Y%m%d"),
        ("char(10) CHARACTER SET gbk", "%Y-%m-%d"),
        ("varchar(20)", "%Y-%m-%d %H:%i:%s"),
        ("date", "%Y-%m-%d"),
        ("datetime", "%Y-%m-%d %H:%i:%s"),
    ],
)
def test_a_day_is_found_in_what_old_systems_hold(
    old: SourceLink, old_his: OldHis, store: Store, kind: str, form: str
) -> None:
    old_his.run("DELETE FROM t_qszz")
    old_his.run(f"ALTER TABLE t_qszz MODIFY ywrq {kind}")
    old_his.run("INSERT INTO t_qszz VALUES ('none', '1', '1.00', '1', NULL, NULL)")
    for number, moment in enumerate(MOMENTS):
        day = f"date_format(CAST('{moment}' AS datetime), '{form}')"
        old_his.run(f"INSERT INTO t_qszz VALUES ('{number}', '1', '1.00', '1', NULL, {day})")  # noqa: S608 - of our own
    assert own(old, store) == ["1", "2"]


def test_books_whose_day_cannot_be_read_are_not_an_empty_ledger(small: SourceLink, store: Store) -> None:
    run(small, "ALTER TABLE qs ALTER ywrq TYPE text")
    assert own(small, store) == []
    run(small, "INSERT INTO qs VALUES ('1', '1', NULL, 1, 'settled', NULL, '21.11.2026')")
    with pytest.raises(Temporary, match="business_date_unreadable"):
        own(small, store)
