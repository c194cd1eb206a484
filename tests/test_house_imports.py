"""What import-linter cannot say: which files of another feature may be imported, and where an import may stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT

NOT_FEATURES = {"core", "web", "gateways"}
SHARED_FILES = {"service", "queries", "states", "contracts"}
CODE = ("app", "workers", "hospital_agent", "claim_checker", "mock_wechat", "mock_partners", "demo")


def features() -> set[str]:
    return {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")} - NOT_FEATURES


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Dotted names; `from app.claim import service` counts as app.claim.service."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def intrusions(feature: str, tree: ast.Module, all_features: set[str]) -> list[str]:
    """Imports of another feature's inside."""
    found = []
    for name in imported_modules(tree):
        top, _, rest = name.partition(".")
        other, _, inside = rest.partition(".")
        if top == "app" and other in all_features - {feature} and inside.split(".")[0] not in SHARED_FILES:
            found.append(name)
    return found


def late_imports(tree: ast.Module) -> list[int]:
    """Lines of imports inside functions."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    nodes = (node for function in functions for node in ast.walk(function))
    return sorted({node.lineno for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)})


@pytest.mark.parametrize("feature", sorted(features()))
def test_a_feature_imports_of_another_only_what_it_shares(feature: str) -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in python_files(f"app/{feature}")
        if (names := intrusions(feature, ast.parse(path.read_text()), features()))
    }
    assert found == {}


def test_imports_stand_at_the_top_of_their_file() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{lines}"
        for path in python_files(*CODE)
        if (lines := late_imports(ast.parse(path.read_text())))
    }
    assert found == set()


def test_a_package_is_described_and_holds_no_code() -> None:
    """gateways/ aside, which is a table of contents."""
    excepted = {ROOT / "app" / "gateways" / "__init__.py"}
    found = set()
    for path in {path for path in python_files(*CODE) if path.name == "__init__.py"} - excepted:
        tree = ast.parse(path.read_text())
        if ast.get_docstring(tree) is None or len(tree.body) != 1:
            found.add(str(path.relative_to(ROOT)))
    assert found == set()


def test_the_checks_see_what_they_look_for() -> None:
    tree = ast.parse("from app.claim import models\nfrom app.claim.service import submit\ndef f():\n    import os\n")
    assert intrusions("payout", tree, {"claim", "payout"}) == ["app.claim.models"]
    assert late_imports(tree) == [4]
