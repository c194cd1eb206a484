"""People of the hospital list and revoke ties on their own machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hospital_agent.__main__ import main
from hospital_agent.store.db import Store
from hospital_agent.store.registry import Ties
from tests.hospital_agent.test_config import BASE


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(BASE, encoding="utf-8")
    return path


def test_a_tie_is_revoked_while_the_agent_runs(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = Store(config.parent / "agent.sqlite")
    ties = Ties(running)
    ties.tie("A1", "P1")
    ties.tie("A2", "P1")
    assert main(["--config", str(config), "--revoke", "P1", "A1"]) == 0
    assert [tie["account_ref"] for tie in ties.list()] == ["A2"]
    assert [tie["account_ref"] for tie in ties.revoked()] == ["A1"]
    capsys.readouterr()
    assert main(["--config", str(config), "--ties"]) == 0
    live, revoked = capsys.readouterr().out.splitlines()
    assert live == "P1\tA2\ttied"
    assert revoked.startswith("P1\tA1\trevoked 2") and revoked.endswith("the platform has not ended it yet")
    ties.untie("A1", "P1")
    main(["--config", str(config), "--ties"])
    assert "ended by the platform 2" in capsys.readouterr().out
    running.close()


def test_what_is_not_tied_cannot_be_revoked(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Store(config.parent / "agent.sqlite").close()
    assert main(["--config", str(config), "--revoke", "A1", "P1"]) == 1
    assert "no such tie" in capsys.readouterr().err


def test_a_wrong_configuration_makes_no_empty_list(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config), "--ties"]) == 2
    assert not (config.parent / "agent.sqlite").exists()
    config.write_text(BASE.replace('"hospital"', '"insurer"'), encoding="utf-8")
    assert main(["--config", str(config), "--ties"]) == 2
    assert "only a hospital" in capsys.readouterr().err
