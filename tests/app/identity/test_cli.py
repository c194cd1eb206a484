"""`flask --app wsgi seed`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyotp
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.work import Runtime
from app.exchange import service as exchange
from tests.app.world import make_world

TABLES = ("party", "partner", "partner_key", "wechat_app", "merchant", "merchant_app", "bank_account", "operator")


def _counts(runtime: Runtime) -> dict[str, int]:
    with runtime.read() as session:
        return {table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in TABLES}  # noqa: S608


def test_a_world_is_entered_once_and_brought_up_to_date(runtime: Runtime, client: FlaskClient, tmp_path: Path) -> None:
    world, file = make_world(), tmp_path / "world.json"
    runner = client.application.test_cli_runner()

    def seed(world: dict[str, Any]) -> str:
        file.write_text(json.dumps(world, ensure_ascii=False), encoding="utf-8")
        result = runner.invoke(args=["seed", "--world", str(file)])
        assert result.exit_code == 0, result.output
        return str(result.output)

    assert seed(world) == "6 parties, 4 apps, 4 merchants, 6 operators\n"
    first = _counts(runtime)
    assert first == dict(zip(TABLES, (6, 6, 6, 4, 4, 10, 2, 6), strict=True))
    with runtime.read() as session:
        sealed = session.execute(text("SELECT app_id, secret_sealed FROM wechat_app ORDER BY app_id")).all()
    seed(world)
    with runtime.read() as session:
        assert session.execute(text("SELECT app_id, secret_sealed FROM wechat_app ORDER BY app_id")).all() == sealed
    assert _counts(runtime) == first
    world["hospitals"][0]["name"] = "第一人民医院"
    world["wechat"]["merchants"][3]["app_ids"] = []
    seed(world)
    assert _counts(runtime) == first | {"merchant_app": 8}

    entry = world["operators"][0]
    totp = pyotp.TOTP(entry["totp_secret"]).now()
    body = {"login": entry["login"], "password": entry["password"], "totp": totp}
    assert client.post("/api/v1/operator/login", json=body).status_code == 200


def test_a_world_that_lacks_something_changes_nothing(runtime: Runtime, client: FlaskClient, tmp_path: Path) -> None:
    before, world = _counts(runtime), make_world()
    world["hospitals"].append({"code": "H9", "name": "没有前置机"})
    file = tmp_path / "world.json"
    file.write_text(json.dumps(world), encoding="utf-8")
    result = client.application.test_cli_runner().invoke(args=["seed", "--world", str(file)])
    assert result.exit_code != 0
    assert _counts(runtime) == before


def test_an_insurer_is_entered_with_its_dialect_and_no_other_than_we_speak(
    runtime: Runtime, client: FlaskClient, tmp_path: Path
) -> None:
    world, file = make_world(), tmp_path / "world.json"
    world["insurers"][1] |= {"dialect": "s200", "poll_s": 30}
    file.write_text(json.dumps(world, ensure_ascii=False), encoding="utf-8")
    assert client.application.test_cli_runner().invoke(args=["seed", "--world", str(file)]).exit_code == 0
    with runtime.read() as session:
        first, second = (exchange.party_by_code(session, code) for code in ("I1", "I2"))
        assert "dialect" not in first.config and (second.config["dialect"], second.config["poll_s"]) == ("s200", 30)
        spoken = [exchange.endpoint(session, runtime.privacy, party.id).dialect for party in (first, second)]
    assert spoken == ["native", "s200"]
    world["insurers"][1]["dialect"] = "s2000"
    file.write_text(json.dumps(world, ensure_ascii=False), encoding="utf-8")
    assert client.application.test_cli_runner().invoke(args=["seed", "--world", str(file)]).exit_code != 0
