"""Hospitals filled for the tests: the built-in one, a small Synthea-shaped one, and a whole sample if there is one."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from mock_partners.his.fill import hospital_url, prepare
from mock_partners.his.server import His
from tests.mock_partners.his import small_sample
from tests.servers import Databases

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Empty: the doubles speak plain HTTP, and loading every certificate for each client takes longer than a test."""
WORLD: dict[str, Any] = {
    "seed": 1,
    "business_date": "2026-11-21",
    "hospitals": [{"code": "H1", "name": "一院"}, {"code": "H2", "name": "二院"}],
    "insurers": [
        {"code": "I1", "product_name": "安心医疗险", "product_filing_no": "C1"},
        {"code": "I2", "product_name": "康泰门诊险", "product_filing_no": "C2"},
    ],
}


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


@dataclass
class Filling:
    """A database that holds one filling: its URL, its dialect and the people that `prepare` returned."""

    url: str
    dialect: str
    people: list[dict[str, Any]]

    def of(self, hospital: str) -> str:
        return hospital_url(self.url, self.dialect, hospital)

    def rows(self, hospital: str, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(_libpq(self.of(hospital)), row_factory=dict_row) as db:
            return db.execute(query.encode(), values).fetchall()


@dataclass
class Hospital:
    """A running double with a client on it."""

    filling: Filling
    double: His
    http: httpx.Client
    code: str

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.filling.rows(self.code, query, *values)

    @property
    def people(self) -> list[dict[str, Any]]:
        return [person for person in self.filling.people if person["hospital"] == self.code and person["alive"]]

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body)

    def attend(self, patient_no: str) -> dict[str, Any]:
        answer = self.post("/__mock__/attend", patient_no=patient_no, counter=True, on="2026-11-21")
        return answer.raise_for_status().json()


def number(prefix: str = "N") -> str:
    """A number that no other test uses."""
    return prefix + uuid4().hex[:12]


@pytest.fixture(scope="session")
def built_in(postgres: Databases) -> Filling:
    """Twenty people in two hospitals; only read by tests."""
    url = postgres.create(migrated=False)
    return Filling(url, "builtin", prepare(url, WORLD, 20))


@pytest.fixture(scope="session")
def small(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Filling:
    """The small Synthea-shaped filling; only read by tests."""
    url = postgres.create(migrated=False)
    folder = small_sample.write(tmp_path_factory.mktemp("sample"))
    return Filling(url, "synthea", prepare(url, WORLD, his_data_dir=folder))


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    """The folder of a whole Synthea sample, named by HIS_DATA."""
    folder = os.environ.get("HIS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HIS_DATA names no folder with a Synthea sample")
    return Path(folder)


@pytest.fixture(scope="session")
def sample(postgres: Databases, sample_folder: Path) -> Filling:
    url = postgres.create(migrated=False)
    return Filling(url, "synthea", prepare(url, WORLD, his_data_dir=sample_folder))


@pytest.fixture(scope="session")
def templates(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Filling]:
    """One small filling per dialect, to be copied and never to be connected to."""
    folder = small_sample.write(tmp_path_factory.mktemp("template"))
    urls = {dialect: postgres.create(migrated=False) for dialect in ("builtin", "synthea")}
    return {
        "builtin": Filling(urls["builtin"], "builtin", prepare(urls["builtin"], WORLD, 8)),
        "synthea": Filling(urls["synthea"], "synthea", prepare(urls["synthea"], WORLD, his_data_dir=folder)),
    }


def _copy(template: Filling) -> Filling:
    head, _, name = template.url.rpartition("/")
    copy = f"test_{uuid4().hex}"
    with psycopg.connect(f"{_libpq(head)}/postgres", autocommit=True) as db:
        db.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(copy), sql.Identifier(name)))
    return Filling(f"{head}/{copy}", template.dialect, template.people)


@contextmanager
def _serve(postgres: Databases, template: Filling) -> Iterator[Hospital]:
    filling = _copy(template)
    code = next(person["hospital"] for person in filling.people if person["claims"])
    double = His(code, filling.of(code), filling.dialect)
    with double, httpx.Client(base_url=double.url, timeout=10, verify=PLAIN) as http:
        yield Hospital(filling, double, http, code)
    postgres.drop(filling.url)


@pytest.fixture(scope="module", params=["builtin", "synthea"])
def hospital(request: pytest.FixtureRequest, postgres: Databases, templates: dict[str, Filling]) -> Iterator[Hospital]:
    """A double per module and dialect: tests bring numbers and strangers of their own."""
    with _serve(postgres, templates[request.param]) as served:
        yield served


@pytest.fixture(params=["builtin", "synthea"])
def fresh_hospital(
    request: pytest.FixtureRequest, postgres: Databases, templates: dict[str, Filling]
) -> Iterator[Hospital]:
    """A double for one test that looks at everything in its books, once per dialect."""
    with _serve(postgres, templates[request.param]) as served:
        yield served
