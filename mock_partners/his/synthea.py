"""The second filling: the eleven CSV tables of a Synthea sample, in a schema of their own, and whose campus is whose.

The CSV tables keep the columns of the files (https://github.com/synthetichealth/synthea/wiki/CSV-File-Data-Dictionary).
Organisations are campuses of the hospitals; who shares a patient shares a hospital, so each patient has one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

SCHEMA = "synthea"
TABLES = (
    *("organizations", "providers", "payers", "patients", "payer_transitions", "encounters"),
    *("conditions", "procedures", "medications", "claims", "claims_transactions"),
)
_MONEY = {
    *("AMOUNT", "UNITAMOUNT", "UNITS", "PAYMENTS", "ADJUSTMENTS", "TRANSFERS", "OUTSTANDING", "BASE_COST", "TOTALCOST"),
    *("OUTSTANDING1", "OUTSTANDING2", "OUTSTANDINGP", "BASE_ENCOUNTER_COST", "TOTAL_CLAIM_COST", "PAYER_COVERAGE"),
}
_TIMES = {
    *("START", "STOP", "FROMDATE", "TODATE", "CURRENTILLNESSDATE", "SERVICEDATE", "START_YEAR", "END_YEAR"),
    *("LASTBILLEDDATE1", "LASTBILLEDDATE2", "LASTBILLEDDATEP"),
}
_INDEXES = {
    "patients": ("Id",),
    "encounters": ("Id", "PATIENT", "START", "CODE"),
    "conditions": ("ENCOUNTER", "PATIENT", "START"),
    "procedures": ("ENCOUNTER", "PATIENT", "START", "CODE"),
    "medications": ("ENCOUNTER", "CODE"),
    "claims": ("Id", "PATIENTID", "APPOINTMENTID", "SERVICEDATE"),
    "claims_transactions": ("CLAIMID", "PATIENTID", "FROMDATE"),
}


class SampleProblem(ValueError):
    """The files are no Synthea sample. The message says which file and where, and quotes no row."""


def load_tables(db: psycopg.Connection, folder: Path) -> None:
    """Create the CSV tables in the current schema and COPY the files into them. Raises FileNotFoundError,
    SampleProblem."""
    for table in TABLES:
        try:
            _load(db, folder, table)
        except (psycopg.DataError, psycopg.IntegrityError, UnicodeDecodeError) as error:
            raise SampleProblem(f"{table}.csv cannot be read as CSV in UTF-8{_place(error)}") from error
    for table, names in _INDEXES.items():
        for name in names:
            db.execute(sql.SQL("CREATE INDEX ON {} ({})").format(sql.Identifier(table), sql.Identifier(name)))
    db.execute("ANALYZE")


def _load(db: psycopg.Connection, folder: Path, table: str) -> None:
    with (folder / f"{table}.csv").open("rb") as file:
        columns = file.readline().decode("utf-8-sig").strip().split(",")
        if not all(columns) or len(set(columns)) < len(columns):
            raise SampleProblem(f"{table}.csv does not begin with a line of column names")
        _create(db, table, columns)
        copying = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), _names(columns))
        with db.cursor().copy(copying) as copy:
            while block := file.read(1 << 18):
                copy.write(block)


def _place(error: Exception) -> str:
    """Where in the file, as far as PostgreSQL says it: its own text would quote the row."""
    context = error.diag.context if isinstance(error, psycopg.Error) else None
    found = re.match(r"COPY \w+, line (\d+)(?:, column (\w+))?", context or "")
    if found is None:
        return ""
    return f": line {int(found[1]) + 1}" + (f", column {found[2]}" if found[2] else "")


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _create(db: psycopg.Connection, table: str, columns: Sequence[str]) -> None:
    parts = [sql.SQL("{name} " + _type(table, column)).format(name=sql.Identifier(column)) for column in columns]
    db.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table), sql.SQL(", ").join(parts)))


def _type(table: str, column: str) -> str:
    if column in ("BIRTHDATE", "DEATHDATE") or (table == "conditions" and column in ("START", "STOP")):
        return "date"
    if column in _MONEY:
        return "numeric CHECK ({name} <> 'NaN')"
    if column == "CHARGEID":
        return "int"
    return "timestamptz" if column in _TIMES else "text"


def assign_hospitals(db: psycopg.Connection, hospitals: Sequence[str]) -> None:
    """Write `mock_organization`: every organisation's hospital; organisations that share a patient stay together."""
    db.execute("CREATE TABLE mock_organization (organization_id text PRIMARY KEY, hospital text NOT NULL)")
    pairs = db.execute('SELECT DISTINCT "PATIENT", "ORGANIZATION" FROM encounters ORDER BY 1, 2').fetchall()
    patients_of = _components([(row[0], row[1]) for row in pairs])
    load = dict.fromkeys(hospitals, 0)
    for organizations, patients in sorted(patients_of, key=lambda pair: (-pair[1], min(pair[0]))):
        hospital = min(hospitals, key=lambda code: load[code])
        load[hospital] += patients
        _assign(db, organizations, hospital)
    rest = db.execute(
        'SELECT "Id" FROM organizations WHERE "Id" NOT IN (SELECT organization_id FROM mock_organization) ORDER BY 1'
    ).fetchall()
    for place, (organization,) in enumerate(rest):
        _assign(db, {organization}, hospitals[place % len(hospitals)])


def _assign(db: psycopg.Connection, organizations: set[str], hospital: str) -> None:
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO mock_organization VALUES (%s, %s)", [(each, hospital) for each in sorted(organizations)]
        )


def _components(pairs: Sequence[tuple[str, str]]) -> list[tuple[set[str], int]]:
    """Groups of organisations linked by common patients, each with its number of patients."""
    visited: dict[str, set[str]] = defaultdict(set)
    for patient, organization in pairs:
        visited[patient].add(organization)
    groups: list[tuple[set[str], int]] = []
    for organizations in visited.values():
        linked = [group for group in groups if group[0] & organizations]
        groups = [group for group in groups if not group[0] & organizations]
        merged = set(organizations).union(*(group[0] for group in linked))
        groups.append((merged, 1 + sum(group[1] for group in linked)))
    return groups
