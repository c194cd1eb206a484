"""An insurer installs the checker by itself."""

from __future__ import annotations

from pathlib import Path

from tests import alone


def test_it_runs_with_what_it_requires_and_nothing_else(tmp_path: Path) -> None:
    site = alone.install("claim_checker", tmp_path)
    helped = alone.run(site, "claim_checker", "--help")
    assert helped.returncode == 0, helped.stderr
    assert "usage" in helped.stdout
    nothing = alone.run(site, "claim_checker", "nothing.json")
    assert nothing.returncode != 0 and "Traceback" not in nothing.stderr
    assert alone.run(site, "app").returncode == 1
