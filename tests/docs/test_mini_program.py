"""The guide for mini-programs names every state and code that the API document does, and its examples are right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from openapi_schema_validator import OAS31Validator

from tests.app.settlement.kit import SIDES, answer_trials
from tests.app.town import Town, front, settings, town, wechat
from tests.servers import ROOT
from tests.test_house_document import answers, document

__all__ = ["front", "settings", "town", "wechat"]
GUIDE = (ROOT / "docs" / "mini_program.md").read_text(encoding="utf-8")


class Example(NamedTuple):
    method: str
    path: str
    body: Any
    status: int
    answer: Any


def examples() -> Iterator[Example]:
    for block in re.findall(r"```http\n(.*?)```", GUIDE, re.DOTALL):
        asked, answered = block.split("\n\n")
        first, _, body = asked.partition("\n")
        status, _, answer = answered.partition("\n")
        method, path = first.split()
        yield Example(method, path, json.loads(body) if body else None, int(status), json.loads(answer))


EXAMPLES = list(examples())


def operation(one: Example) -> dict[str, Any]:
    for path, methods in document("public")["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), one.path) and one.method.lower() in methods:
            return dict(methods[one.method.lower()])
    raise AssertionError(one.path)


def schema(content: dict[str, Any]) -> dict[str, Any]:
    return {**content["content"]["application/json"]["schema"], "components": document("public")["components"]}


def test_every_state_is_described() -> None:
    schemas = document("public")["components"]["schemas"]
    states = {state for one in schemas.values() for state in one.get("enum", ())}
    states |= set(schemas["BindingOut"]["properties"]["status"]["enum"])
    assert len(states) > 50 and {state for state in states if f"`{state}`" not in GUIDE} == set()


def test_every_refusal_is_described() -> None:
    codes = {code for _, _, one in answers("public") for code in re.findall(r"`(\w+)`", one["description"])}
    assert len(codes) > 80 and {code for code in codes if f"`{code}`" not in GUIDE} == set()


def test_the_routes_that_are_named_exist() -> None:
    named = set(re.findall(r"`(?:GET|POST) (/api/v1/[\w/{}-]+)", GUIDE))
    known = [re.sub(r"{\w+}", "[^/]+", path) for path in document("public")["paths"]]
    assert len(named) > 12 and [one for one in named if not any(re.fullmatch(path, one) for path in known)] == []


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: f"{one.path} {one.status}")
def test_the_examples_are_as_the_document_says(one: Example) -> None:
    found = operation(one)
    if one.body is not None:
        OAS31Validator(schema(found["requestBody"])).validate(one.body)
    answer = found["responses"][str(one.status)]
    if one.status >= 400:
        assert f"`{one.answer['code']}`" in answer["description"]
        return
    shown = schema(answer)
    name = shown["$ref"].rpartition("/")[2]
    known = shown["components"]["schemas"][name]["properties"]
    for field, value in one.answer.items():
        OAS31Validator({**known[field], "components": shown["components"]}).validate(value)


def test_a_bill_is_tried_and_settled_as_the_guide_says(town: Town) -> None:
    who = town.insured()
    names = {"bill_id": str(town.bill(who, settled=False))}
    walked = [one for one in EXAMPLES if one.path.startswith(("/api/v1/trials", "/api/v1/settlements"))]
    for one in walked:
        path = _filled(one.path, names).removeprefix("/api/v1")
        if one.method == "GET":
            town.drain_all("settlement.admit")
            answer_trials(town, SIDES)
            found = who.get(path)
        else:
            answer = who.post(path, json.loads(_filled(json.dumps(one.body), names)))
            assert answer.status_code == one.status
            found = dict(answer.get_json())
        names["trial_id"] = found["id"]
        shown = json.loads(_filled(json.dumps(one.answer), names))
        assert {field: found[field] for field in shown} == shown
    assert len(walked) == 3


def _filled(text: str, names: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: names[found[1]], text)
