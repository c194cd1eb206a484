"""What the guides name exists: commands, routes, types, files; and the messages that they show are right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel

from app.claim import consents
from app.claim.contracts import partners
from app.exchange.contracts import AnswerIn, VerdictView
from app.sandbox.checking import check
from app.sandbox.messages import MESSAGES
from tests.servers import ROOT
from workers.routes import ROUTES

GUIDES = ("hospital.md", "insurer.md")
HERE = ROOT / "docs"


def text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def sections(name: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", GUIDES)
def test_the_commands_exist(name: str, client: FlaskClient) -> None:
    named = re.findall(r"flask --app wsgi ((?:[a-z-]+ )*[a-z-]+)", text(name))
    assert len(named) >= 5
    for words in named:
        found: click.Command | None = client.application.cli
        for word in words.split():
            if not isinstance(found, click.Group):
                break
            found = found.commands.get(word)
            assert found is not None, words


@pytest.mark.parametrize("name", GUIDES)
def test_the_routes_exist(name: str, client: FlaskClient) -> None:
    ours = {str(rule) for rule in client.application.url_map.iter_rules()}
    named = set(re.findall(r"`POST (/[a-z/]+)`", text(name)))
    assert len(named) > 3
    assert {path for path in named if f"/exchange/v1{path}" not in ours} == set()


@pytest.mark.parametrize("name", GUIDES)
def test_files_and_links_lead_somewhere(name: str) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text(name)):
        assert (HERE / target).exists(), target
        assert not anchor or anchor in sections(target or name), anchor
    for path in re.findall(r"`([\w.-]+/[\w./-]+\.(?:py|md|toml|sh))`", text(name)):
        assert (ROOT / path).exists() or (HERE / path).exists(), path


def test_every_message_of_an_insurer_is_described() -> None:
    guide = text("insurer.md")
    assert {kind for kind in MESSAGES if f"| `{kind}` |" not in guide} == set()


def test_every_field_that_an_insurer_may_say_is_described() -> None:
    guide = text("insurer.md")
    within = (partners.LineReasonIn, partners.AdjudicatedLineIn, partners.ItemIn)
    answered = (partners.EligibilityIn, partners.PolicyIn, partners.PaidElsewhereIn, partners.CaseIn)
    contracts: tuple[type[BaseModel], ...] = (*MESSAGES.values(), *within, *answered)
    names = {name for contract in contracts for name in contract.model_fields}
    assert {name for name in names if f"`{name}`" not in guide and f'"{name}"' not in guide} == set()


def published() -> Iterator[ast.expr]:
    """What is said to be the type of each change that the code publishes."""
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "publish":
                yield node.args[2]


def test_every_change_that_the_code_publishes_is_described() -> None:
    types = {str(ast.literal_eval(one)) for one in published() if isinstance(one, ast.Constant)}
    assert [ast.unparse(one) for one in published() if not isinstance(one, ast.Constant)] == ["f'claim.{what}'"]
    types |= {f"claim.{what}" for what in ("package", *consents.MESSAGES)}
    table = text("insurer.md").partition("## 3 ")[2].partition("## 4 ")[0]
    assert len(types) > 10
    assert {kind for kind in types if f"`{kind}`" not in table} == set()


def test_every_command_to_a_hospital_is_described() -> None:
    guide, prefix = text("hospital.md"), "exchange.answered."
    asked = {event.removeprefix(prefix) for event in ROUTES if event.startswith(prefix)}
    of_networks = {"trial", "settle", "reverse", "query_settlement"}
    assert {kind for kind in asked - of_networks if f"`{kind}`" not in guide} == set()


def test_every_verdict_and_outcome_is_described() -> None:
    words = get_args(VerdictView.model_fields["verdict"].annotation)
    words += get_args(AnswerIn.model_fields["outcome"].annotation)
    assert [word for word in words if f"`{word}`" not in text("hospital.md")] == []


def test_the_messages_that_are_shown_are_right() -> None:
    shown = [block for name in GUIDES for block in re.findall(r"```json\n(.*?)```", text(name), re.DOTALL)]
    assert shown
    for block in shown:
        report = check(block)
        assert (report.kind, report.faults) == ("message", [])


def test_the_examples_say_no_path_of_ours() -> None:
    for file in (HERE / "examples").iterdir():
        if file.is_file():
            assert "import app" not in file.read_text(encoding="utf-8"), Path(file).name
