"""The same answers on Redis as on Valkey: what is asked of the engine there is asked here too."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.reconciliation.cli import reconcile
from app.reconciliation.engine.compare import compare
from app.reconciliation.engine.outcome import Outcome
from tests import needs
from tests.app.reconciliation.engine.books import DAY, line, read_all, write_all
from tests.app.reconciliation.engine.test_compare import (
    books,
    test_a_difference_shows_what_each_party_says,
    test_an_emptied_redis_in_the_middle_changes_nothing,
    test_bitmaps_do_the_dense_part_and_string_sets_the_rest,
    test_each_pair_of_partners_gets_its_own_statement,
    test_each_set_is_named_by_where_the_row_is,
    test_numbers_scattered_over_the_whole_day_stay_small,
    test_one_hospital_cannot_answer_for_another,
    test_payments_and_reversals_are_kinds_of_their_own,
    test_the_first_row_of_a_number_counts,
    test_the_published_method_finds_the_same,
    test_the_working_set_goes_also_after_an_error,
)
from tests.examples import costly

# Collected here once more, with the `redis` of this module.
__all__ = [
    "test_a_difference_shows_what_each_party_says",
    "test_an_emptied_redis_in_the_middle_changes_nothing",
    "test_bitmaps_do_the_dense_part_and_string_sets_the_rest",
    "test_each_pair_of_partners_gets_its_own_statement",
    "test_each_set_is_named_by_where_the_row_is",
    "test_numbers_scattered_over_the_whole_day_stay_small",
    "test_one_hospital_cannot_answer_for_another",
    "test_payments_and_reversals_are_kinds_of_their_own",
    "test_the_first_row_of_a_number_counts",
    "test_the_published_method_finds_the_same",
    "test_the_working_set_goes_also_after_an_error",
]
_STARTS_S = 30


@pytest.fixture(scope="module")
def real_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this module alone, on loopback and without a file."""
    program = needs.redis_server()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"port": port, "bind": "127.0.0.1", "dir": tmp_path_factory.mktemp("redis"), "save": ""}
    options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()


def _wait_for(port: int) -> None:
    ends_s = time.monotonic() + _STARTS_S
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
            except RedisConnectionError:
                assert time.monotonic() < ends_s, "Redis does not come up"
                time.sleep(0.02)
            else:
                return


@pytest.fixture
def redis(real_redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(real_redis_url) as client:
        client.flushall()
        yield client


@pytest.fixture
def valkey(fresh_redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(fresh_redis_url) as client:
        yield client


def test_it_is_redis_and_not_valkey(redis: Redis, valkey: Redis) -> None:
    told = redis.info("server")
    assert int(told["redis_version"].partition(".")[0]) >= 7
    assert "valkey_version" not in told
    assert "valkey_version" in valkey.info("server")


@costly
@given(hospital=books, platform=books, insurer=books)
def test_random_ledgers_have_the_same_outcome(
    redis: Redis, valkey: Redis, hospital: list[str], platform: list[str], insurer: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        ledgers = read_all(write_all(Path(directory), hospital, platform, insurer))
    _require_same(compare(redis, DAY, ledgers), compare(valkey, DAY, ledgers))
    assert redis.dbsize() == 0


def test_dense_and_scattered_segments_have_the_same_outcome(redis: Redis, valkey: Redis, tmp_path: Path) -> None:
    dense = [line(segment * 2**20 + place) for segment in range(3) for place in range(3000)]
    scattered = [line(7 * 10**9 + 10**6 * place) for place in range(50)]
    foreign = [line(place, day=date(2026, 11, 20)) for place in range(5)]
    altered = [line(place, 101, "failed") for place in range(40, 50)]
    ledgers = read_all(
        write_all(
            tmp_path,
            dense + scattered + foreign,
            dense[7:] + scattered[3:],
            dense[:40] + altered + dense[50:] + foreign,
        )
    )
    _require_same(compare(redis, DAY, ledgers), compare(valkey, DAY, ledgers))


def test_the_command_writes_the_same_result(
    real_redis_url: str, fresh_redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [line(place) for place in range(300)]
    paths = write_all(tmp_path, rows, rows[7:], rows[:-3])
    options = [part for party, path in paths.items() for part in (f"--{party}", str(path))]
    answers = []
    for url in (real_redis_url, fresh_redis_url):
        monkeypatch.setenv("REDIS_URL", url)
        done = CliRunner().invoke(reconcile, ["files", "--date", str(DAY), *options, "--json", "-"])
        assert done.exit_code == 0, done.output
        answers.append(done.stdout)
    assert answers[0] == answers[1]


def _require_same(found: Outcome, expected: Outcome) -> None:
    for one in fields(Outcome):
        left, right = getattr(found, one.name), getattr(expected, one.name)
        assert left.equals(right) if isinstance(left, pl.DataFrame) else left == right, one.name
