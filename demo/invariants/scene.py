"""What the checkers look at: the platform's tables in plain SQL, the doubles over HTTP, Redis, the logs, the world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
World = Mapping[str, Any]
# How long something may be under way before it counts as left behind.
PATIENCE_S = 15.0


@dataclass(frozen=True)
class Scene:
    """A day that is over (`finished`) or still goes on: then what is only under way is no finding.

    `world` is the content of world.json, `urls` name -> base URL of the doubles (codes of the parties, wechat, sms,
    mail); a double without a URL is not looked at. `logs` is the directory of the programs' output. `population` holds
    every name, document number, phone and card of the day, `master_key` the product's own. Values of these are never
    part of a finding.
    """

    database_url: str
    redis_url: str
    world: World
    urls: Mapping[str, str]
    logs: Path | None = None
    population: frozenset[str] = field(default_factory=frozenset, repr=False)
    master_key: str = field(default="", repr=False)
    finished: bool = True
    patience_s: float = PATIENCE_S

    def rows(self, sql: str, **params: Any) -> list[Row]:
        """Rows of the platform's database as dicts."""
        return query(self.database_url, sql, params)

    def his_rows(self, hospital: Mapping[str, Any], sql: str, **params: Any) -> list[Row]:
        """Rows of one hospital's own system; none where the world names no database for it."""
        url = str(hospital.get("his_database_url") or "")
        return query(url, sql, params) if url else []

    def has(self, name: str) -> bool:
        return name in self.urls

    def ask(self, name: str, path: str) -> Any:
        """What a double answers to GET `/__mock__/<path>`. Raises httpx.HTTPError."""
        answer = _http().get(f"{self.urls[name]}/__mock__/{path}")
        return answer.raise_for_status().json()

    def state(self, name: str, table: str) -> dict[str, Row]:
        """One of a double's tables, key -> row; empty without such a double."""
        found: dict[str, Row] = self.ask(name, f"state/{table}") if self.has(name) else {}
        return found

    def journal(self, name: str) -> list[Row]:
        """The requests that a double answered, in order."""
        found: list[Row] = self.ask(name, "journal") if self.has(name) else []
        return found

    def hospitals(self) -> Iterable[World]:
        return self.world.get("hospitals", ())

    def insurers(self) -> Iterable[World]:
        return self.world.get("insurers", ())

    def merchants(self) -> Iterable[World]:
        return self.world.get("wechat", {}).get("merchants", ())

    @property
    def interface(self) -> World:
        """The medical-insurance interface: code, n, window_s."""
        found: World = self.world["medical_insurance"]
        return found

    @property
    def bank(self) -> str:
        return str(self.world["bank"]["code"])


def query(url: str, sql: str, params: Mapping[str, Any]) -> list[Row]:
    """Run one SELECT on a connection of its own."""
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain, row_factory=dict_row, autocommit=True, connect_timeout=5) as connection:
        return connection.execute(sql.encode(), dict(params) or None).fetchall()


@lru_cache(maxsize=1)
def _http() -> httpx.Client:
    return httpx.Client(timeout=30.0, trust_env=False)
