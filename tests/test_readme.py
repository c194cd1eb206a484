"""What README.md and its Chinese twin name exists: functions of the walks, files, links, options, variables."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from app.core.settings import Settings
from demo.arguments import parser

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md", "hospital_agent/README.md", "mock_wechat/README.md")
MAIN = (ROOT / "README.md").read_text(encoding="utf-8")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", READMES[:2])
def test_the_functions_of_the_walks_exist(name: str) -> None:
    named = re.findall(r"`([\w/]+\.py):(\w+)`", _text(name))
    assert len(named) > 30, "the walks are no longer recognised"
    gone = [f"{path}:{function}" for path, function in named if function not in _functions(ROOT / path)]
    assert not gone


@pytest.mark.parametrize("name", READMES)
def test_the_files_that_are_named_exist(name: str) -> None:
    """A path with a folder, as it stands in backquotes; what the reader makes (FILE, agent.toml) has none."""
    paths = re.findall(r"`(?:\./)?([\w.-]+/[\w./-]+?\.(?:py|md|html|toml|sql))(?::\w+)?`", _text(name))
    gone = [path for path in paths if not (ROOT / path).exists() and not (ROOT / name).parent.joinpath(path).exists()]
    assert not gone


@pytest.mark.parametrize("name", READMES)
def test_links_lead_somewhere(name: str) -> None:
    headings = {re.sub(r"[^\w -]", "", line.strip("# ")).lower().replace(" ", "-") for line in MAIN.splitlines()}
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", _text(name)):
        assert (ROOT / name).parent.joinpath(target).exists(), target
        assert not anchor or anchor in headings, anchor


@pytest.mark.parametrize("name", READMES[:2])
def test_commands_and_options_of_the_demonstration_exist(name: str) -> None:
    text = _text(name)
    for script in re.findall(r"\./(script/\w+)", text):
        assert (ROOT / script).is_file(), script
    known = parser()._option_string_actions
    day = text[text.index("./script/demo --once") : text.index("./script/setup")]
    assert set(re.findall(r"--[a-z-]+", day)) <= set(known)


@pytest.mark.parametrize("name", READMES[:2])
def test_every_variable_is_listed_and_every_listed_one_is_read(name: str) -> None:
    table = "\n".join(line.split("|")[1] for line in _text(name).splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([A-Z_]+)`", table)) == {name.upper() for name in Settings.model_fields}
