from __future__ import annotations

from typing import Any

from tests.mock_partners.his.conftest import Hospital, number


def _notice(visit: dict[str, Any], **change: Any) -> dict[str, Any]:
    total = visit["total_fen"]
    notice = {
        "settlement_no": visit["bill_key"],
        "bill_key": visit["bill_key"],
        "setl_id": "L1",
        "fund_fen": total - 1_500,
        "account_fen": 400,
        "self_pay_fen": 1_100,
        "payment_no": "P1",
        "paid_at": "2026-11-21T03:04:05Z",
    }
    return {**notice, **change}


def _book(hospital: Hospital, bill_key: str) -> list[tuple[str, str]]:
    rows = hospital.rows("SELECT grzf, zt FROM sf_szz WHERE jsdh = %s", bill_key)
    return [(str(row["grzf"]), row["zt"]) for row in rows]


def _e_bills(hospital: Hospital, bill_key: str) -> list[str]:
    return [row["zt"] for row in hospital.rows("SELECT zt FROM sf_dzpj WHERE jsdh = %s", bill_key)]


def test_a_settlement_is_booked_once_with_what_the_patient_bore(hospital: Hospital) -> None:
    visit = hospital.attend(hospital.people[0]["patient_no"])
    for _ in range(2):
        assert hospital.post("/settlements", **_notice(visit)).status_code == 200
    assert _book(hospital, visit["bill_key"]) == [("15.00", "1")]
    assert _e_bills(hospital, visit["bill_key"]) == ["1"]


def test_a_bill_paid_at_the_counter_is_booked_without_the_platform(hospital: Hospital) -> None:
    visit = hospital.attend(hospital.people[0]["patient_no"])
    paid = [hospital.post("/__mock__/pay_in_cash", bill_key=visit["bill_key"]) for _ in range(2)]
    assert [answer.status_code for answer in paid] == [200, 409]
    assert _book(hospital, visit["bill_key"]) == [(f"{visit['total_fen'] / 100:.2f}", "1")]
    assert _e_bills(hospital, visit["bill_key"]) == ["1"]
    assert hospital.post("/settlements", **_notice(visit)).json()["code"] == "already_settled"


def test_amounts_must_add_up_to_the_bill(hospital: Hospital) -> None:
    visit = hospital.attend(hospital.people[0]["patient_no"])
    answer = hospital.post("/settlements", **_notice(visit, self_pay_fen=1_101))
    assert (answer.status_code, answer.json()["code"]) == (422, "amounts_do_not_add_up")
    assert _book(hospital, visit["bill_key"]) == []


def test_a_bill_is_settled_under_one_number_only(hospital: Hospital) -> None:
    visit = hospital.attend(hospital.people[0]["patient_no"])
    hospital.post("/settlements", **_notice(visit))
    second = hospital.post("/settlements", **_notice(visit, settlement_no=number()))
    assert (second.status_code, second.json()["code"]) == (409, "already_settled")
    changed = hospital.post("/settlements", **_notice(visit, account_fen=401, self_pay_fen=1_099))
    assert (changed.status_code, changed.json()["code"]) == (409, "settlement_no_reused")
    unknown = hospital.post("/settlements", **_notice(visit, settlement_no=number(), bill_key="none"))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "bill_unknown")


def test_a_reversal_refunds_bill_book_and_e_bill(hospital: Hospital) -> None:
    visit = hospital.attend(hospital.people[0]["patient_no"])
    hospital.post("/settlements", **_notice(visit))
    for _ in range(2):
        assert hospital.http.delete(f"/settlements/{visit['bill_key']}").status_code == 200
    assert _book(hospital, visit["bill_key"]) == [("15.00", "2")]
    assert _e_bills(hospital, visit["bill_key"]) == ["2"]
    with hospital.double.records.transaction() as db:
        bill = hospital.double.records.bill(db, visit["bill_key"])
    assert bill is not None and bill.status == "refunded"


def test_reversing_what_was_never_settled_changes_nothing(hospital: Hospital) -> None:
    before = hospital.rows("SELECT * FROM sf_szz ORDER BY jsdh")
    assert hospital.http.delete("/settlements/none").status_code == 200
    assert hospital.rows("SELECT * FROM sf_szz ORDER BY jsdh") == before


def test_an_e_bill_is_reversed_once(hospital: Hospital) -> None:
    bill_key = next(key for p in hospital.people for claim in p["claims"] for key in claim["bill_keys"])
    assert hospital.post("/__mock__/reverse_e_bill", bill_key=bill_key).json() == {"reversed": 1}
    assert hospital.post("/__mock__/reverse_e_bill", bill_key=bill_key).json() == {"reversed": 0}
    assert _e_bills(hospital, bill_key) == ["2"]
