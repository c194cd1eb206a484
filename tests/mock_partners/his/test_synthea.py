from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from psycopg import sql

from mock_partners.his.synthea import TABLES
from tests.mock_partners.his import small_sample
from tests.mock_partners.his.conftest import Filling


def test_the_tables_keep_the_columns_of_the_files(small: Filling) -> None:
    for table, header in small_sample.HEADERS.items():
        rows = small.rows(
            "H1",
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'synthea' AND table_name = %s"
            " ORDER BY ordinal_position",
            table,
        )
        assert [row["column_name"] for row in rows] == header.split(",")


def test_amounts_and_times_are_typed(small: Filling) -> None:
    row = small.rows("H1", 'SELECT * FROM claims_transactions WHERE "ID" = %s', "bill-1-0")[0]
    assert row["AMOUNT"] == Decimal("100.25")
    assert row["FROMDATE"] == datetime(2024, 1, 10, 2, tzinfo=UTC)
    assert row["METHOD"] is None


def test_who_shares_a_patient_shares_a_hospital(small: Filling) -> None:
    rows = small.rows("H1", "SELECT organization_id, hospital FROM mock_organization")
    assert {row["organization_id"] for row in rows} == {"north", "south", "empty"}
    assert {row["hospital"] for row in rows} == {"H1", "H2"}


def test_every_row_of_a_whole_sample_is_loaded(sample: Filling, sample_folder: Path) -> None:
    counting = sql.SQL("SELECT count(*) AS n FROM {}")
    for table in TABLES:
        with (sample_folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            expected = sum(1 for _ in csv.reader(file)) - 1
        assert sample.rows("H1", counting.format(sql.Identifier(table)).as_string())[0]["n"] == expected


def test_nobody_of_a_whole_sample_has_two_hospitals(sample: Filling) -> None:
    rows = sample.rows(
        "H1",
        'SELECT e."PATIENT" FROM encounters e JOIN mock_organization o ON o.organization_id = e."ORGANIZATION"'
        " GROUP BY 1 HAVING count(DISTINCT o.hospital) <> 1",
    )
    assert rows == []
    assert {person["hospital"] for person in sample.people} == {"H1", "H2"}
