"""Scenes to judge: rows planted with SQL in the real tables, and a small world around them."""

from __future__ import annotations

import itertools
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from app.core.privacy import Privacy
from demo.invariants.scene import Scene
from demo.invariants.sealing import CHECKED
from mock_partners.his import fill

DAY = "2026-11-21"
INTERFACE_SQL = Path(fill.__file__).with_name("interface.sql")
MASTER_KEY = f"old:{b64encode(bytes(range(32))).decode()}"
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
SECRET = "whsec_" + "c2VjcmV0LW9mLWEtcGFydG5lcg=="
WORLD: dict[str, Any] = {
    "business_date": DAY,
    "hospitals": [{"code": "H1"}],
    "insurers": [
        {
            "code": "I1",
            "partner": "I1-core",
            "secret": SECRET,
            "bank_account": "6217000010000001",
        },
    ],
    "medical_insurance": {"code": "M1", "n": 3, "window_s": 6},
    "bank": {"code": "B1", "partner": "B1-core"},
    "wechat": {"merchants": []},
}
_COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL
  AND is_identity = 'NO'
"""
_needed: dict[str, dict[str, str]] = {}
_LOOSEN = """
SELECT format('ALTER TABLE %%I DROP CONSTRAINT %%I', c.conrelid::regclass::text, c.conname) AS change
FROM pg_constraint c WHERE c.conrelid = %(table)s::regclass AND c.contype IN ('c', 'u')
UNION ALL
SELECT format('DROP INDEX %%I', i.indexrelid::regclass::text) FROM pg_index i
WHERE i.indrelid = %(table)s::regclass AND i.indisunique AND NOT i.indisprimary
  AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""


class Ground:
    """A database with every table. Foreign keys and triggers are off, so a row needs only the columns a test names."""

    def __init__(self, url: str) -> None:
        self.url = url
        plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._db = psycopg.connect(plain, autocommit=True, row_factory=dict_row)
        self._db.execute("SET session_replication_role = replica")
        self._numbers = itertools.count(1)
        self._privacy = Privacy(MASTER_KEY)

    def close(self) -> None:
        self.run("DROP SCHEMA IF EXISTS his_h1 CASCADE")
        self._db.close()

    def run(self, text: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self._db.execute(text.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def add(self, table: str, /, **values: Any) -> dict[str, Any]:
        """Insert a row; columns that must have a value and are not named get one of their type."""
        row = {name: self._some(kind) for name, kind in self._needed(table).items()} | values
        if table in CHECKED and "check_field" not in values:
            row["check_field"] = self._privacy.check(table, {name: row.get(name) for name in CHECKED[table]})
        stored = {name: Jsonb(value) if isinstance(value, dict | list) else value for name, value in row.items()}
        into = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, stored)),
            sql.SQL(", ").join(sql.Placeholder() * len(stored)),
        )
        found = self._db.execute(into, list(stored.values())).fetchone()
        assert found is not None
        return found

    def walk(self, table: str, row_id: UUID, *states: str) -> None:
        """The audit trail of a row that went through these states."""
        for before, after in itertools.pairwise((None, *states)):
            self.add(
                "audit_entry", actor_kind="system", actor_id="worker", action=f"{table}.move", subject_type=table,
                subject_id=row_id, from_status=before, to_status=after, detail={}, xid=1,
            )  # fmt: skip

    def loosen(self, table: str) -> None:
        """Take the table's own guards away, so that a row can be planted that they refuse."""
        changes = self._db.execute(_LOOSEN, {"table": table}).fetchall()
        for change in changes:
            self.run(change["change"])

    def open_hospital(self) -> str:
        """Make the schema of the hospital H1 beside our tables; its URL."""
        self.run("CREATE SCHEMA his_h1")
        self.run("SET search_path TO his_h1")
        self.run(INTERFACE_SQL.read_text(encoding="utf-8"))
        self.run("RESET search_path")
        return fill.hospital_url(self.url, "builtin", "H1")

    def _needed(self, table: str) -> dict[str, str]:
        """Columns that must have a value, with their types: the same in every database of this process."""
        if table not in _needed:
            _needed[table] = {row["column_name"]: row["data_type"] for row in self.run(_COLUMNS, table)}
        return _needed[table]

    def _some(self, kind: str) -> Any:
        some: dict[str, Any] = {
            "uuid": uuid4(),
            "text": f"some-{next(self._numbers)}",
            "boolean": False,
            "timestamp with time zone": NOON,
            "date": date.fromisoformat(DAY),
            "jsonb": {},
            "bytea": b"",
        }
        return some.get(kind, 0)


@dataclass
class Town:
    """The parties of the world by their codes, and what many tests build on."""

    ground: Ground
    ids: dict[str, UUID] = field(default_factory=dict)
    partners: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {"H1": "hospital", "I1": "insurer", "M1": "medical_insurance", "B1": "bank"}
        for code, kind in kinds.items():
            self.ids[code] = self.ground.add("party", kind=kind, code=code)["id"]
            partner = f"{code}-core" if kind in ("insurer", "bank") else f"{code}-agent"
            self.partners[partner] = self.ground.add("partner", party_id=self.ids[code], code=partner)["id"]

    def bill(self, key: str = "b1", *, lines: tuple[int, ...] = (1000,), **values: Any) -> dict[str, Any]:
        """A settled bill with lines of these amounts; without further values it balances."""
        total_fen = sum(lines)
        money = {"total_fen": total_fen, "fund_fen": 0, "account_fen": 0, "self_pay_fen": total_fen}
        values = {**money, "lines_fen": total_fen, "state": "settled", **values}
        row = self.ground.add("bill", hospital_id=self.ids["H1"], key=key, patient_no=f"p-{key}", **values)
        for number, amount_fen in enumerate(lines, 1):
            self.ground.add(
                "fee_line", hospital_id=self.ids["H1"], bill_id=row["id"], line_no=number, amount_fen=amount_fen,
                unit_price=amount_fen / 100, quantity=1,
            )  # fmt: skip
        return row

    def claim(self, no: str = "CL1", status: str = "adjudicating", **values: Any) -> dict[str, Any]:
        holder = {"holder": "nobody", "payee_kind": "wechat", "policy_no": "P1", "account_id": uuid4()}
        values = {**holder, "hospital_id": self.ids["H1"], "insurer_id": self.ids["I1"], **values}
        return self.ground.add("claim", no=no, status=status, **values)

    def clearing(self, claim: dict[str, Any], bill: dict[str, Any], ordinal: int, **values: Any) -> dict[str, Any]:
        """The clearing row of a bill in a claim."""
        usual = {
            "clearing_no": clearing_no(ordinal),
            "ordinal": ordinal,
            "kind": "pay",
            "hospital_id": self.ids["H1"],
            "insurer_id": self.ids["I1"],
            "borne_fen": bill["total_fen"] - bill["fund_fen"],
            "live": True,
        }
        return self.ground.add("claim_bill", claim_id=claim["id"], bill_id=bill["id"], **(usual | values))

    def recovery(self, claim: dict[str, Any], status: str, due_fen: int, ordinal: int = 1) -> dict[str, Any]:
        """The bill of this clearing row was taken back after the decision."""
        self.ground.run("UPDATE claim_bill SET live = false, payable_fen = 0 WHERE ordinal = %s", ordinal)
        return self.ground.add(
            "recovery", claim_id=claim["id"], clearing_no=clearing_no(ordinal), reason="bill_refunded",
            insurer_id=self.ids["I1"], status=status, lost_fen=due_fen,
            share_fen=due_fen, due_fen=due_fen,
        )  # fmt: skip

    def decision(self, claim: dict[str, Any], approved: dict[str, int], no: str = "D1") -> dict[str, Any]:
        """A decision that approves so much under each clearing number."""
        total_fen = sum(approved.values())
        row = self.ground.add(
            "decision",
            claim_id=claim["id"],
            decision_no=no,
            outcome="approved",
            approved_fen=total_fen,
            decided_at=NOON,
        )
        for number, approved_fen in approved.items():
            self.ground.add(
                "decision_line", decision_id=row["id"], clearing_no=number, line_no=1, billed_fen=approved_fen,
                covered_fen=approved_fen, ratio=1, approved_fen=approved_fen,
            )  # fmt: skip
        return row


def clearing_no(ordinal: int) -> str:
    """19 digits of the day with their check digit."""
    body = f"{DAY.replace('-', '')}{ordinal:010d}"
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(body), 1))
    return body + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def world_with_hospital(ground: Ground) -> dict[str, Any]:
    """The world whose hospital has tables of its own (Ground.open_hospital)."""
    url = fill.hospital_url(ground.url, "builtin", "H1")
    return {**WORLD, "hospitals": [{"code": "H1", "his_database_url": url}]}


def scene_of(ground: Ground, redis_url: str = "redis://127.0.0.1:1", **values: Any) -> Scene:
    """A finished day over these rows, without doubles unless `urls` names them."""
    scene = Scene(ground.url, redis_url, WORLD, {}, master_key=MASTER_KEY)
    return replace(scene, **values)


def one(findings: list[str], *words: str) -> str:
    """The one finding there is; it holds all these words."""
    assert len(findings) == 1, findings
    assert all(word in findings[0] for word in words), findings[0]
    return findings[0]
