"""House rules that imports do not show: one commit, one status change, doors on every route, followers of events."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from app.core.settings import Settings
from app.core.work import Runtime
from app.factory import create_app
from app.tables import metadata
from app.web.routes import Door
from app.web.site import ACCOUNT, OPERATOR, PARTNER, PUBLIC
from app.wiring import make_runtime
from workers import schedule
from workers.kinds import KINDS
from workers.routes import ROUTES

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(p for top in ("app", "workers", "hospital_agent") for p in (ROOT / top).rglob("*.py"))
# Routes that are not ours to describe: the document itself, its page, and the probe of a load balancer.
UNDECLARED = {"openapi.spec", "swagger_ui.show", "healthz", "static"}


def _runtime() -> Runtime:
    return make_runtime(Settings(), routes=ROUTES, ring=lambda kinds: None)


@cache
def _all_calls() -> dict[str, list[tuple[Path, ast.Call]]]:
    """Calls in our sources by the name of the method or function."""
    found: dict[str, list[tuple[Path, ast.Call]]] = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                target = node.func
                name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
                found[name].append((path.relative_to(ROOT), node))
    return found


def _calls(name: str) -> list[tuple[Path, ast.Call]]:
    return _all_calls()[name]


def _first_text(call: ast.Call) -> str | None:
    for argument in call.args:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return None


def test_there_is_one_commit() -> None:
    commits = {str(path) for path, _ in _calls("commit") if path.parts[0] != "hospital_agent"}
    assert commits == {"app/core/work.py"}


def test_a_status_is_written_in_one_place() -> None:
    """Nobody assigns `.status` or passes `status=` to an UPDATE but the machine, the task table and the key store."""
    allowed = {"app/core/machine.py", "app/core/tasks.py", "app/core/idempotency.py"}
    offenders = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        if name in allowed or not name.startswith("app/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                offenders += [f"{name}:{node.lineno}" for t in targets if _is_row_status(t)]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "values":
                offenders += [f"{name}:{node.lineno}" for k in node.keywords if k.arg == "status"]
    assert not offenders


def _is_row_status(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == "status" and _name(target.value) not in ("self", "g")


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("role", ["all", "public", "exchange", "console"])
def test_every_route_declares_who_may_call(role: str) -> None:
    app = create_app(make_runtime(Settings(role=role), routes=ROUTES, ring=lambda kinds: None))
    missing = []
    for rule in app.url_map.iter_rules():
        door = app.view_functions[rule.endpoint].__dict__.get("door")
        if rule.endpoint not in UNDECLARED and not isinstance(door, Door):
            missing.append(rule.rule)
    assert not missing


def test_public_role_has_no_exchange_or_operator_route() -> None:
    app = create_app(make_runtime(Settings(role="public"), routes=ROUTES, ring=lambda kinds: None))
    doors = [f.__dict__["door"] for f in app.view_functions.values() if "door" in f.__dict__]
    assert not [door for door in doors if {PARTNER, OPERATOR} & set(door.kinds)]
    assert [door for door in doors if ACCOUNT in door.kinds]


def test_routes_that_anyone_may_call_are_few_and_named() -> None:
    app = create_app(_runtime())
    open_to_all = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if (door := app.view_functions[rule.endpoint].__dict__.get("door")) and PUBLIC in door.kinds
    }
    assert open_to_all == {
        "/api/v1/login/state",
        "/api/v1/login/oauth",
        "/api/v1/login/mini",
        "/api/v1/login/refresh",
        "/api/v1/operator/login",
        "/api/v1/operator/refresh",
        "/wechat/callback/<app_id>",
        "/wechat/pay/<mchid>",
    }


def test_every_task_kind_has_a_worker() -> None:
    """Kinds in events, in schedules, and in every `work.later("…")` of the code."""
    wanted = {kind for kinds in ROUTES.values() for kind in kinds}
    wanted |= {every.kind for every in schedule.EVERY} | {daily.kind for daily in schedule.DAILY}
    for path, call in _calls("later"):
        kind = _first_text(call)
        if kind is not None and path.parts[0] == "app":
            wanted.add(kind)
    assert wanted <= set(KINDS), wanted - set(KINDS)


def test_every_emitted_event_has_a_listener_or_is_declared_silent() -> None:
    emitted = {text for path, call in _calls("emit") if path.parts[0] == "app" and (text := _first_text(call))}
    assert emitted <= set(ROUTES), emitted - set(ROUTES)


def test_every_declared_event_exists() -> None:
    """An event in the table that nobody names is a leftover; the exchange makes the names of its own."""
    named = {
        node.value
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    made_up = {event for event in ROUTES if not event.startswith("exchange.")} - named
    assert not made_up


def test_openapi_document_is_valid() -> None:
    app = create_app(_runtime())
    document = app.test_client().get("/api/openapi.json").get_json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)


def test_state_changing_posts_of_people_carry_an_idempotency_key() -> None:
    document = create_app(_runtime()).test_client().get("/api/openapi.json").get_json()
    for path, methods in document["paths"].items():
        operation = methods.get("post")
        if operation is None or not operation.get("security"):
            continue
        kinds = {kind for option in operation["security"] for kind in option}
        if kinds & {"account", "operator"} and not path.endswith(("/logout", "/refresh")):
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert "Idempotency-Key" in names, path


def test_docs_page_loads_nothing_from_outside() -> None:
    client = create_app(_runtime()).test_client()
    page = client.get("/api/docs/").get_data(as_text=True)
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert '"validatorUrl": null' in page, "else it would show a badge from a validator elsewhere"


def test_app_without_environment_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("psycopg.connect", refuse)
    app = create_app(_runtime())
    assert app.test_client().get("/healthz").status_code == 200


def test_constraints_are_named() -> None:
    """A refused row is told by the name of its constraint, so every one has a name."""
    for table in metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints), table.name


def test_no_float_holds_money() -> None:
    for table in metadata.tables.values():
        for column in table.columns:
            if column.name.endswith("_fen"):
                assert column.type.python_type is int, f"{table.name}.{column.name}"
