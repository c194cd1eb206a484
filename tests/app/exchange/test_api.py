from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.core.settings import Role, Settings
from app.factory import create_app
from app.wiring import make_runtime

ROUTES = 11


def paths(client: FlaskClient) -> dict[str, dict[str, object]]:
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200 and answer.json is not None
    found: dict[str, dict[str, object]] = answer.json["paths"]
    return {path: found[path] for path in found if path.startswith("/exchange/")}


def serving(role: Role) -> FlaskClient:
    settings = Settings(
        role=role, database_url="postgresql+psycopg://127.0.0.1:1/none", redis_url="redis://127.0.0.1:1"
    )
    return create_app(make_runtime(settings, routes={}, ring=lambda kinds: None)).test_client()


@pytest.mark.parametrize(("role", "served"), [("exchange", True), ("all", True), ("public", False), ("console", False)])
def test_only_the_exchange_has_its_routes(role: Role, served: bool) -> None:
    client = serving(role)
    assert len(paths(client)) == (ROUTES if served else 0)
    assert (client.post("/exchange/v1/batches", data=b"{}").status_code == 404) is not served


def test_every_route_is_documented_with_what_goes_in_and_out() -> None:
    for path, methods in paths(serving("exchange")).items():
        post = methods["post"]
        assert isinstance(post, dict)
        assert post["summary"] and post["security"] == [{"partner": []}], path
        assert "$ref" in str(post["requestBody"]["content"]["application/json"]["schema"]), path
        assert {"401", "422"} <= set(post["responses"]) and {"200", "202"} & set(post["responses"]), path
