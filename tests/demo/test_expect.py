from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import psycopg

from demo import expect
from tests import servers


def _person(*cases: str, claims: int = 1, alive: bool = True) -> dict[str, Any]:
    return {"alive": alive, "cases": list(cases), "claims": [{}] * claims}


def test_the_plan_decides_what_becomes_of_claims() -> None:
    people = [
        _person("wechat_payee"),
        _person("rejection", "counter_visit"),
        _person("withdrawal"),
        _person("two_policies", claims=2),
        _person("not_insured", "refund", claims=0),
        _person(alive=False),
    ]
    found = expect.expected(people, {"bills": 7})
    assert found["patients"] == found["bound"] == found["registered"] == 5
    assert (found["trials"], found["settled"]) == (5, 4)
    assert (found["claims.submitted"], found["claims.approved"], found["claims.rejected"]) == (6, 3, 1)
    assert found["cases.two_policies"] == 1
    assert found["bills"] == 7


def _write(folder: Path, name: str, rows: list[dict[str, str]]) -> None:
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _transaction(claim: str, kind: str, amount: str, payments: str) -> dict[str, str]:
    return {"CLAIMID": claim, "TYPE": kind, "AMOUNT": amount, "PAYMENTS": payments}


def test_a_sample_is_counted_from_its_files_and_the_day_added(tmp_path: Path, postgres: servers.Databases) -> None:
    _write(tmp_path, "claims", [{"Id": "a", "APPOINTMENTID": "e1"}, {"Id": "b", "APPOINTMENTID": "e1"}])
    _write(tmp_path, "encounters", [{"Id": "e1"}, {"Id": "without a bill"}])
    _write(
        tmp_path,
        "claims_transactions",
        [
            _transaction("a", "CHARGE", "10.10", ""),
            _transaction("a", "CHARGE", "0.90", ""),
            _transaction("a", "PAYMENT", "", "11.00"),
            _transaction("b", "CHARGE", "5.00", ""),
            _transaction("b", "PAYMENT", "", "4.99"),
            _transaction("b", "TRANSFEROUT", "0.01", ""),
        ],
    )
    url = postgres.create(migrated=False)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute("CREATE TABLE claims AS SELECT unnest(ARRAY['a', 'b', 'today']) AS \"Id\"")
        db.execute('CREATE TABLE claims_transactions ("CLAIMID" text, "TYPE" text)')
        db.execute("INSERT INTO claims_transactions VALUES ('a', 'CHARGE'), ('today', 'CHARGE'), ('today', 'PAYMENT')")
    found = expect.synthea_records(tmp_path, url)
    postgres.drop(url)
    assert found == {"encounters_pushed": 2, "fee_lines_pushed": 4, "bills": 3, "bills_refused": 1}
