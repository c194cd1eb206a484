from __future__ import annotations

from typing import Any

from mock_partners.books import clearing_no
from tests.mock_partners.his.conftest import Hospital

DAY = "2026-11-21"


def _rows(hospital: Hospital) -> list[dict[str, Any]]:
    bills = [row["jsdh"] for row in hospital.rows("SELECT jsdh FROM sf_szz WHERE grzf > 0 ORDER BY jsdh")]
    return [{"clearing_no": clearing_no(DAY, n), "bill_key": bill} for n, bill in enumerate(bills)]


def _book(hospital: Hospital) -> dict[str, tuple[int, str]]:
    rows = hospital.rows("SELECT jsdh, grzf, zt FROM sf_szz")
    return {row["jsdh"]: (int(row["grzf"] * 100), row["zt"]) for row in rows}


def test_what_it_says_it_altered_is_all_that_differs(fresh_hospital: Hospital) -> None:
    rows, before = _rows(fresh_hospital), _book(fresh_hospital)
    body = {"business_date": DAY, "seed": 7, "rows": rows, "choose": {"drop": 1, "amount": 1, "status": 0, "add": 1}}
    said = fresh_hospital.post("/__mock__/alter", **body).json()
    after, bill_of = _book(fresh_hospital), {row["clearing_no"]: row["bill_key"] for row in rows}
    differing = {bill for bill in before if before[bill] != after.get(bill)}
    assert differing == {bill_of[entry["clearing_no"]] for entry in said if entry["what"] != "added"}
    assert {entry["what"] for entry in said} == {"dropped", "amount", "added"}
    changed = next(entry for entry in said if entry["what"] == "amount")
    assert after[bill_of[changed["clearing_no"]]] == (changed["after"]["amount_fen"], "1")
    added = next(entry for entry in said if entry["what"] == "added")
    counter = fresh_hospital.rows("SELECT qsh, je, ywrq FROM gt_lp")
    assert [(row["qsh"], int(row["je"] * 100), str(row["ywrq"])) for row in counter] == [
        (added["clearing_no"], added["after"]["amount_fen"], DAY)
    ]
    assert fresh_hospital.http.get("/__mock__/altered").json() == said


def test_the_same_request_again_alters_nothing_more(fresh_hospital: Hospital) -> None:
    rows = _rows(fresh_hospital)
    body = {"business_date": DAY, "seed": 7, "rows": rows, "status": [rows[0]["clearing_no"]]}
    first = fresh_hospital.post("/__mock__/alter", **body).json()
    book = _book(fresh_hospital)
    assert book[rows[0]["bill_key"]][1] == "2"
    assert fresh_hospital.post("/__mock__/alter", **body).json() == first
    assert _book(fresh_hospital) == book


def test_a_bill_behind_two_numbers_is_left_alone(fresh_hospital: Hospital) -> None:
    row = _rows(fresh_hospital)[0]
    twin = {**row, "clearing_no": clearing_no(DAY, 99)}
    answer = fresh_hospital.post("/__mock__/alter", business_date=DAY, rows=[row, twin], drop=[row["clearing_no"]])
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_instruction")


def test_an_unknown_number_alters_nothing_at_all(fresh_hospital: Hospital) -> None:
    rows, before = _rows(fresh_hospital), _book(fresh_hospital)
    drop = [rows[0]["clearing_no"], clearing_no(DAY, 77)]
    assert fresh_hospital.post("/__mock__/alter", business_date=DAY, rows=rows, drop=drop).status_code == 422
    assert _book(fresh_hospital) == before
    assert fresh_hospital.http.get("/__mock__/altered").json() == []
