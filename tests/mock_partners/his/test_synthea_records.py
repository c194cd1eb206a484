from __future__ import annotations

import pytest

from tests.mock_partners.his.conftest import Hospital, number

pytestmark = pytest.mark.parametrize("hospital", ["synthea"], indirect=True)


def test_a_visit_of_the_day_copies_codes_and_prices_of_the_sample(hospital: Hospital) -> None:
    visit = hospital.attend("adult")
    charges = hospital.rows(
        'SELECT "PROCEDURECODE", "AMOUNT" FROM claims_transactions WHERE "CLAIMID" = %s', visit["bill_key"]
    )
    known = hospital.rows(
        'SELECT "PROCEDURECODE", "AMOUNT" FROM claims_transactions WHERE "TYPE" = %s AND "CLAIMID" LIKE %s',
        "CHARGE",
        "bill-%",
    )
    assert charges and all(charge in known for charge in charges)
    assert visit["total_fen"] == sum(charge["AMOUNT"] for charge in charges) * 100
    conditions = hospital.rows('SELECT "CODE" FROM conditions WHERE "ENCOUNTER" = %s', visit["visit_key"])
    assert [row["CODE"] for row in conditions] == ["COLD"]


def test_a_settlement_is_written_as_payments(hospital: Hospital) -> None:
    visit = hospital.attend("adult")
    shares = {"fund_fen": visit["total_fen"] - 700, "account_fen": 0, "self_pay_fen": 700}
    notice = {"settlement_no": number(), "bill_key": visit["bill_key"], "paid_at": "2026-11-21T03:00:00Z", **shares}
    assert hospital.post("/settlements", **notice).status_code == 200
    payments = hospital.rows(
        'SELECT "METHOD", "PAYMENTS" FROM claims_transactions WHERE "CLAIMID" = %s AND "TYPE" = %s ORDER BY 1',
        visit["bill_key"],
        "PAYMENT",
    )
    assert [(row["METHOD"], int(row["PAYMENTS"] * 100)) for row in payments] == [
        ("CASH", 700),
        ("ECHECK", shares["fund_fen"]),
    ]
