"""The benchmark runs, its arms answer the same, and it says what the bar asks for."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from bench import reconciliation
from bench.reconciliation_data import PARTIES, make_files


def test_every_arm_answers_the_same(
    monkeypatch: pytest.MonkeyPatch, fresh_redis_url: str, empty_database_url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    result = reconciliation.run(rows=3000, rounds=1)
    assert {"ratio_to_best_rival", "ratio_to_floor", "speedup_over_source"} <= set(result)


def test_an_arm_that_answers_otherwise_is_caught() -> None:
    with pytest.raises(SystemExit, match="other"):
        reconciliation.measure({"ours": lambda: {"sets": {}}, "other": lambda: {"sets": {"111": 1}}}, rounds=1)


def test_the_files_differ_as_they_say(tmp_path: Path) -> None:
    paths = make_files(tmp_path, 10_000)
    frames = [pl.read_csv(paths[party]) for party in PARTIES]
    assert all(frame["clearing_no"].n_unique() < len(frame) < 10_010 for frame in frames)
    assert all((frame["clearing_no"] < 20261121 * 10**11).any() for frame in frames)
    assert not frames[0].equals(frames[1])
