"""The ledger of a day comes from the hospital's own books, whole, and never from what the platform said."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.hospital_agent.handlers.kit import DAY, Site

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
