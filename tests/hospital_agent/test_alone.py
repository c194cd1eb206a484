"""The agent is installed on a machine that has nothing else of this repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import alone
from tests.hospital_agent.small_his import MAPPING
from tests.hospital_agent.test_config import BASE


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return alone.install("hospital_agent", tmp_path_factory.mktemp("agent"))


def test_it_runs_with_what_it_requires_and_nothing_else(site: Path) -> None:
    helped = alone.run(site, "hospital_agent", "--help")
    assert helped.returncode == 0, helped.stderr
    assert "--doctor" in helped.stdout and "--revoke" in helped.stdout
    for stranger in ("app", "mock_partners", "flask", "pydantic"):
        refused = alone.run(site, stranger)
        assert refused.returncode == 1 and "No module named" in refused.stderr


def test_its_doctor_says_what_to_mend(site: Path, tmp_path: Path) -> None:
    """Nothing listens where the configuration points to: every part is reached, and none breaks."""
    path = tmp_path / "agent.toml"
    path.write_text(BASE.replace("postgresql://his", "postgresql+psycopg://his@127.0.0.1:1/his"), encoding="utf-8")
    path.chmod(0o600)
    (tmp_path / "his.mapping.toml").write_text(MAPPING, encoding="utf-8")
    told = alone.run(site, "hospital_agent", "--config", str(path), "--doctor")
    assert told.returncode == 1 and "Traceback" not in told.stderr, told.stderr
    found = dict(line.split("  ", 1) for line in told.stdout.splitlines() if line.startswith("ok"))
    assert found and "MEND  exchange: http://127.0.0.1:1" in told.stdout
    assert {"ok    config file", "ok    mapping"} <= {line.rstrip() for line in told.stdout.splitlines()}
