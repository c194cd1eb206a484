"""`reconcile files` as a person or a program runs it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result
from redis import Redis

from app.reconciliation.cli import reconcile
from app.reconciliation.engine.ledger import PARTIES
from bench import source_way
from tests.app.reconciliation.engine.books import HEADER, line, write, write_all


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    hospital = [line(1), line(2, 7), line(3), line(3), "bad,1,success\n"]
    platform = [line(1), line(2, 8), line(4, 50)]
    insurer = [line(1), line(3, status="failed"), line(5)]
    return write_all(tmp_path, hospital, platform, insurer)


def run(paths: dict[str, Path], *options: str) -> Result:
    files = [part for party in PARTIES for part in (f"--{party}", str(paths[party]))]
    return CliRunner().invoke(reconcile, ["files", "--date", "2026-11-21", *files, *options])


def test_figures_are_those_of_the_published_method(
    paths: dict[str, Path], fresh_redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    result = run(paths, "--json", str(tmp_path / "out.json"))
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out.json").read_text())
    with Redis.from_url(fresh_redis_url) as redis:
        assert redis.dbsize() == 0
        expected = source_way.compare_files(redis, paths)
    assert {name: found[name] for name in expected} == expected
    assert found["bad_lines"] == [{"party": "hospital", "line": 6, "reason": "clearing_no"}]
    assert [(row["party"], row["line"]) for row in found["duplicate_lines"]] == [("hospital", 5)]
    assert found["pairs"]["hospital_platform"] == {"only_hospital": 1, "only_platform": 1, "both": 2}


def test_without_redis_url_an_embedded_server_works_and_ends(
    paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    result = run(paths, "--json", "-")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["sets"]["111"] == 1
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert not [child for child in left if "valkey" in child.name()]


def test_a_silent_redis_is_told(paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        result = run(paths, "--json", str(tmp_path / "out.json"))
    assert result.exit_code == 69
    assert not (tmp_path / "out.json").exists()


def test_a_redis_that_accepts_and_says_nothing_is_told(paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        assert run(paths).exit_code == 69


def test_a_file_that_cannot_be_used_blocks_and_says_so(
    paths: dict[str, Path], monkeypatch: pytest.MonkeyPatch, fresh_redis_url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", fresh_redis_url)
    trailer = f"#TRAILER,9,100,{'0' * 64}\n"
    write(paths["insurer"], [line(1), trailer])
    write(paths["hospital"], [line(1)], header=HEADER.replace("status", "state"))
    result = run(paths, "--json", "-")
    assert result.exit_code == 65
    blocked = json.loads(result.stdout)["blocked"]
    assert "count, hash" in blocked["insurer"]
    assert "status" in blocked["hospital"]
    assert "platform" not in blocked
