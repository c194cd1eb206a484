"""Filling the hospitals' databases, once per business date, size and source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from mock_partners.his import generator, policies, population, synthea, synthea_people
from mock_partners.his.chart import Chart
from mock_partners.his.parts import Part
from mock_partners.his.people import Person

SCHEMA_PREFIX = {"builtin": "his_", "synthea": "syn_"}
MARKS = "mock_his"
VERSION = 2
"""Raised when the filling itself changes, so that an older one is replaced."""
RECORD_TABLES = ("jz_jl", "jz_zd", "jz_ss", "sf_jsd", "sf_mx", "sf_dzpj", "jc_bg", "bl_wd")


@dataclass(frozen=True)
class Order:
    """What is to be filled in: everything that a filling depends on."""

    source: str
    business_date: date
    seed: int
    patients: int
    hospitals: tuple[str, ...]
    insurers: tuple[Mapping[str, Any], ...]
    folder: Path | None = None

    @property
    def mark(self) -> str:
        body = asdict(self) | {"business_date": self.business_date.isoformat(), "folder": str(self.folder)}
        return json.dumps(body | {"version": VERSION}, sort_keys=True, ensure_ascii=False)


def schema_of(dialect: str, hospital: str) -> str:
    return SCHEMA_PREFIX[dialect] + hospital.lower()


def hospital_url(database_url: str, dialect: str, hospital: str) -> str:
    """The URL by which one hospital's tables are found without naming a schema (its search path)."""
    path = schema_of(dialect, hospital) + (f",{synthea.SCHEMA}" if dialect == "synthea" else "")
    return f"{database_url}{'&' if '?' in database_url else '?'}options={quote(f'-csearch_path={path}', safe='')}"


def prepare(
    database_url: str, world: Mapping[str, Any], patients: int = 60, his_data_dir: str | Path | None = None
) -> list[dict[str, Any]]:
    """Fill the HIS of every hospital of the world and return the people with their cases and policies.

    Does nothing if the database holds just this filling already, whatever the day has done with it since; another
    filling of the same source is dropped first. `database_url` names no schema. `his_data_dir` is the folder of a
    Synthea sample; its size decides, `patients` does not count then. Raises FileNotFoundError for a missing file.
    """
    order = Order(
        source="synthea" if his_data_dir else "builtin",
        business_date=date.fromisoformat(world["business_date"]),
        seed=int(world["seed"]),
        patients=0 if his_data_dir else patients,
        hospitals=tuple(hospital["code"] for hospital in world["hospitals"]),
        insurers=tuple(
            {key: insurer[key] for key in ("code", "product_name", "product_filing_no")}
            for insurer in world["insurers"]
        ),
        folder=Path(his_data_dir).resolve() if his_data_dir else None,
    )
    url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(url) as db:
        db.execute("SELECT pg_advisory_xact_lock(hashtext('mock_his'))")
        if not _is_filled(db, order):
            _fill(db, order)
        return read_people(db, order.source, order.hospitals)


def read_people(db: psycopg.Connection, source: str, hospitals: Iterable[str]) -> list[dict[str, Any]]:
    """Everyone of the hospitals as `GET /__mock__/people` shows them, hospital by hospital."""
    found: list[dict[str, Any]] = []
    for hospital in hospitals:
        table = sql.Identifier(schema_of(source, hospital), "mock_people")
        found += [row[0] for row in db.execute(sql.SQL("SELECT body FROM {} ORDER BY xh").format(table)).fetchall()]
    return found


def policies_by_insurer(people: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Insurer code -> the policies that its double is loaded with (`POST /__mock__/policies`)."""
    by_insurer: dict[str, list[dict[str, Any]]] = {}
    for person in people:
        for policy in person["policies"]:
            body = {key: value for key, value in policy.items() if key != "insurer"}
            by_insurer.setdefault(policy["insurer"], []).append(body)
    return by_insurer


def _is_filled(db: psycopg.Connection, order: Order) -> bool:
    db.execute(
        sql.SQL("CREATE TABLE IF NOT EXISTS {} (source text PRIMARY KEY, mark text NOT NULL)").format(
            sql.Identifier(MARKS)
        )
    )
    row = db.execute(
        sql.SQL("SELECT mark FROM {} WHERE source = %s").format(sql.Identifier(MARKS)), (order.source,)
    ).fetchone()
    return row is not None and row[0] == order.mark


def _fill(db: psycopg.Connection, order: Order) -> None:
    if order.folder is None:
        _fill_builtin(db, order)
    else:
        _fill_synthea(db, order, order.folder)
    db.execute(
        sql.SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT (source) DO UPDATE SET mark = excluded.mark").format(
            sql.Identifier(MARKS)
        ),
        (order.source, order.mark),
    )


def _fill_builtin(db: psycopg.Connection, order: Order) -> None:
    people = generator.people(order.seed, order.patients, order.business_date, order.hospitals)
    for hospital in order.hospitals:
        _fresh_schema(db, schema_of("builtin", hospital), "builtin_schema.sql", "interface.sql")
        mine = [person for person in people if person.hospital == hospital]
        generator.hospital_chart(order.seed, hospital, mine, order.business_date).copy_into(db)
        _date_back(db)
    covers = policies.invent(people, order.insurers, order.business_date)
    _write_people(db, "builtin", population.plan(people, covers, order.business_date))


def _date_back(db: psycopg.Connection) -> None:
    """Records from before the day changed at times of their own in its last month: an agent that looks back a minute
    behind the newest would otherwise read all of them again every time."""
    ago = sql.SQL("(1 + abs(hashtext(ctid::text)::bigint) % 2592000) * interval '1 second'")
    for table in RECORD_TABLES:
        db.execute(sql.SQL("UPDATE {} SET xgsj = xgsj - {}").format(sql.Identifier(table), ago))


def _fill_synthea(db: psycopg.Connection, order: Order, folder: Path) -> None:
    try:
        _fill_from_sample(db, order, folder)
    except psycopg.errors.UndefinedColumn as error:
        raise synthea.SampleProblem(f"a table of {folder} lacks a column: {error.diag.message_primary}") from error


def _fill_from_sample(db: psycopg.Connection, order: Order, folder: Path) -> None:
    _fresh_schema(db, synthea.SCHEMA)
    synthea.load_tables(db, folder)
    synthea.assign_hospitals(db, order.hospitals)
    people = synthea_people.people(db, order.seed, order.business_date)
    covers = policies.from_sample(synthea_people.read_covers(db), people, order.insurers, order.business_date)
    for hospital in order.hospitals:
        schema = schema_of("synthea", hospital)
        _fresh_schema(db, schema, "synthea_schema.sql", "interface.sql")
        _use(db, schema, synthea.SCHEMA)
        mine = [person for person in people if person.hospital == hospital]
        synthea_people.beside_chart(db, order.seed, hospital, mine, order.business_date).copy_into(db)
    _write_people(db, "synthea", population.plan(people, covers, order.business_date))


def _fresh_schema(db: psycopg.Connection, schema: str, *scripts: str) -> None:
    name = sql.Identifier(schema)
    db.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
    db.execute(sql.SQL("CREATE SCHEMA {}").format(name))
    _use(db, schema)
    for script in scripts:
        db.execute(files("mock_partners.his").joinpath(script).read_text(encoding="utf-8").encode())


def _use(db: psycopg.Connection, *schemas: str) -> None:
    db.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.SQL(", ").join(map(sql.Identifier, schemas))))


def _write_people(db: psycopg.Connection, dialect: str, parts: Sequence[Part]) -> None:
    charts: dict[str, Chart] = {}
    for place, part in enumerate(parts):
        person: Person = part.person
        body = json.dumps(part.as_json(), ensure_ascii=False)
        chart = charts.setdefault(person.hospital, Chart())
        chart.add("mock_people", brid=person.patient_no, xh=place, body=body)
    for hospital, chart in charts.items():
        _use(db, schema_of(dialect, hospital))
        chart.copy_into(db)
    db.execute("SET LOCAL search_path TO DEFAULT")
