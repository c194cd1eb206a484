from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from mock_partners.his.fill import hospital_url, policies_by_insurer, prepare
from mock_partners.his.synthea import SampleProblem
from tests.mock_partners.his import small_sample
from tests.mock_partners.his.conftest import WORLD, Filling


def _execute(url: str, statement: str) -> int:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as db:
        return db.execute(statement.encode()).rowcount


def test_filling_again_keeps_what_the_day_did(empty_database_url: str) -> None:
    first = prepare(empty_database_url, WORLD, 8)
    own = hospital_url(empty_database_url, "builtin", "H1")
    assert _execute(own, "UPDATE sf_dzpj SET zt = '2'") > 0
    assert prepare(empty_database_url, WORLD, 8) == first
    assert _execute(own, "SELECT 1 FROM sf_dzpj WHERE zt = '2'") > 0


@pytest.mark.parametrize("change", [{"patients": 9}, {"business_date": "2026-11-22"}, {"seed": 2}])
def test_another_size_day_or_seed_fills_anew(empty_database_url: str, change: dict[str, object]) -> None:
    prepare(empty_database_url, WORLD, 8)
    own = hospital_url(empty_database_url, "builtin", "H1")
    _execute(own, "UPDATE sf_dzpj SET zt = '2'")
    prepare(empty_database_url, {**WORLD, **change}, int(str(change.get("patients", 8))))
    assert _execute(own, "SELECT 1 FROM sf_dzpj WHERE zt = '2'") == 0


def test_a_missing_file_fills_nothing(empty_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        prepare(empty_database_url, WORLD, his_data_dir=tmp_path)
    assert _execute(empty_database_url, "SELECT 1 FROM pg_namespace WHERE nspname IN ('synthea', 'syn_h1')") == 0


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("patients", None, b"", "patients.csv does not begin with a line of column names"),
        ("patients", b"BIRTHDATE", b"BORN", "lacks a column: column .*BIRTHDATE"),
        ("patients", b"1980-02-29", b"2020-02-31", "patients.csv cannot be read .* line [234], column BIRTHDATE"),
        ("claims", b"bill-2", b'"bill-2', "claims.csv cannot be read"),
        ("claims", b"bill-2", b"bill\0", "claims.csv cannot be read .* line"),
        ("claims", b"bill-2", b"bill\xff", "claims.csv cannot be read .* line"),
        ("claims_transactions", b"100.25", b"NaN", "claims_transactions.csv cannot be read .* line"),
        ("claims_transactions", b"100.25", b"much", "claims_transactions.csv cannot be read .* line .* AMOUNT"),
    ],
)
def test_a_broken_sample_is_named_and_not_quoted(
    empty_database_url: str, tmp_path: Path, name: str, before: bytes | None, after: bytes, told: str
) -> None:
    file = small_sample.write(tmp_path) / f"{name}.csv"
    file.write_bytes(after if before is None else file.read_bytes().replace(before, after, 1))
    with pytest.raises(SampleProblem, match=told) as problem:
        prepare(empty_database_url, WORLD, his_data_dir=tmp_path)
    assert "2020-02-31" not in str(problem.value) and "much" not in str(problem.value)


def test_the_hospitals_url_finds_the_tables_without_a_schema(built_in: Filling) -> None:
    ours = {row["brid"] for row in built_in.rows("H1", "SELECT brid FROM br_jbxx")}
    theirs = {row["brid"] for row in built_in.rows("H2", "SELECT brid FROM br_jbxx")}
    assert len(ours) == len(theirs) == 10 and not ours & theirs
    assert hospital_url("postgresql://h/d?sslmode=disable", "synthea", "H2") == (
        "postgresql://h/d?sslmode=disable&options=-csearch_path%3Dsyn_h2%2Csynthea"
    )


def test_policies_are_listed_by_insurer_as_the_insurer_takes_them(built_in: Filling) -> None:
    by_insurer = policies_by_insurer(built_in.people)
    assert set(by_insurer) == {"I1", "I2"}
    assert sum(map(len, by_insurer.values())) == sum(len(person["policies"]) for person in built_in.people)
    assert all("insurer" not in policy and policy["insured"]["name"] for policy in by_insurer["I1"])
