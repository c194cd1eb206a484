"""The API document tells a program what it may be answered: states, codes of refusals, when to come again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from app.appointment.refusals import WHY_NOT
from app.core import errors
from app.core.settings import Settings
from app.factory import create_app
from app.web.routes import OF_ALL
from app.wiring import make_runtime
from workers.routes import ROUTES

APP = Path(errors.__file__).parents[1]
STATUS = {name: one.status for name, one in vars(errors).items() if isinstance(one, type) and hasattr(one, "status")}
# What these refuse, they refuse to people; the numbers of patients come from hospitals.
OF_PEOPLE = ("appointment", "registration", "settlement", "identity/person", "identity/consent/service.py")
NOT_OF_PEOPLE = {(422, "patient_number_taken")}
# WeChat's own `state`, and steps that are the claim's or a recovery's.
NO_STATE = {"StateView", "WebLoginInput", "ClaimDetail.StepView", "Timeline.StepView"}


@cache
def document(role: str = "all") -> dict[str, Any]:
    product = create_app(make_runtime(Settings(role=role), routes=ROUTES, ring=lambda kinds: None))
    return dict(product.test_client().get("/api/openapi.json").get_json())


def test_every_state_that_patients_read_is_one_of_a_list() -> None:
    schemas = document("public")["components"]["schemas"]
    bare = [
        (name, field)
        for name, schema in schemas.items()
        for field, value in schema.get("properties", {}).items()
        if field in ("status", "state") and value.get("type") == "string" and not {"enum", "const"} & value.keys()
    ]
    assert {name for name, _ in bare} == NO_STATE
    assert schemas["SettlementView.State"]["enum"][1] == "trial_waiting"


def test_every_refusal_is_declared_where_it_can_be_raised() -> None:
    """Codes with their status, over all routes: nothing is raised that no route names, or named that nobody raises."""
    declared = {(int(status), code) for codes in _codes().values() for status, code in codes}
    common = {(status, code) for status, codes in OF_ALL.items() for code in codes}
    raised = set(_raised(*OF_PEOPLE)) - NOT_OF_PEOPLE
    assert raised - declared == set()
    words = {node.value for tree in _trees("") for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {code for _, code in declared - common if code not in words} == set()
    assert {(409, "slot_full"), (409, "already_booked"), (429, "trial_limited")} <= raised | _of_bursts() <= declared


def test_whoever_has_to_wait_is_told_how_long() -> None:
    for path, status, answer in answers():
        assert ("Retry-After" in answer.get("headers", {})) == (status in ("429", "503")), (path, status)


def test_each_route_names_its_own_refusals() -> None:
    codes = _codes()
    assert ("429", "trial_limited") in codes["/api/v1/trials", "post"]
    assert ("409", "slot_full") in codes["/api/v1/appointments", "post"]
    assert ("409", "slot_full") not in codes["/api/v1/trials", "post"]


def answers(role: str = "all") -> Iterator[tuple[tuple[str, str], str, dict[str, Any]]]:
    for path, methods in document(role)["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    yield (path, method), status, answer


def _codes() -> dict[tuple[str, str], set[tuple[str, str]]]:
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for route, status, answer in answers():
        found.setdefault(route, set()).update((status, code) for code in re.findall(r"`(\w+)`", answer["description"]))
    return found


def _trees(*under: str) -> Iterator[ast.Module]:
    for one in under:
        top = APP / one
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            if path.name != "api.py":
                yield ast.parse(path.read_text(encoding="utf-8"))


def _raised(*under: str) -> Iterator[tuple[int, str]]:
    """(status, code) of every refusal that is made with its code, or with a pair of code and words, named nearby."""
    for tree in _trees(*under):
        pairs = {
            node.targets[0].id: node.value.elts[0]
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Tuple)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STATUS and node.args:
                given: ast.expr = node.args[0]
                if isinstance(given, ast.Starred) and isinstance(given.value, ast.Name):
                    given = pairs[given.value.id]
                if isinstance(given, ast.Constant):
                    yield STATUS[node.func.id], str(given.value)


def _of_bursts() -> set[tuple[int, str]]:
    return {(409, code) for code in WHY_NOT}
