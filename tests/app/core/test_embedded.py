from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from app.core.embedded import EmbeddedServerError, Postgres, Valkey
from app.core.guardian import has_ended
from tests.servers import ROOT


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres", durable=False)
    yield server
    server.remove()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """For tests that leave the server itself alone."""
    with Postgres(tmp_path_factory.mktemp("running") / "postgres", durable=False) as server:
        yield server
    server.remove()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "valkey")
    yield server
    server.remove()


def value(url: str, query: str) -> object:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute(query).fetchone() if query.startswith(("SELECT", "SHOW")) else None
        if row is None:
            connection.execute(query)
        return row and row[0]


def kill(server: Postgres | Valkey) -> None:
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    while server.pid:
        time.sleep(0.01)


def test_keeps_its_data_and_port_over_a_restart(server: Postgres) -> None:
    url = server.start()
    value(url, "CREATE TABLE kept AS SELECT '直赔' AS word")
    server.stop()
    assert server.start() == url
    assert value(url, "SELECT word FROM kept") == "直赔"


def test_is_utc_and_utf8_and_refuses_other_passwords(running: Postgres) -> None:
    url = running.url
    assert value(url, "SHOW timezone") == "UTC"
    assert value(url, "SHOW server_encoding") == "UTF8"
    with pytest.raises(psycopg.OperationalError):
        value(url.replace(running.password, "guess"), "SELECT 1")


def test_is_durable_unless_told_otherwise(tmp_path: Path) -> None:
    with Postgres(tmp_path / "durable", settings={"log_statement": "ddl"}) as server:
        assert [value(server.url, f"SHOW {name}") for name in ("fsync", "synchronous_commit")] == ["on", "on"]
        assert value(server.url, "SHOW log_statement") == "ddl"
    server.remove()


def test_copies_a_template_and_leaves_an_existing_database(running: Postgres) -> None:
    value(running.create_database("original"), "CREATE TABLE kept AS SELECT 7 AS number")
    copy = running.create_database("copy", template="original")
    assert running.create_database("copy") == copy
    assert value(copy, "SELECT number FROM kept") == 7
    running.drop_database("copy")
    assert {"copy", "original"} & set(running.databases()) == {"original"}


def test_a_personal_value_stays_out_of_the_log(running: Postgres) -> None:
    url = running.url
    value(url, "CREATE TABLE person (number text PRIMARY KEY)")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("INSERT INTO person VALUES (%s)", ["110101199003070000"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES (%s)", ["110101199003070000"])
    log = running.log_path.read_text()
    assert "duplicate key" in log
    assert "110101199003070000" not in log


def test_a_second_owner_is_refused(running: Postgres) -> None:
    with pytest.raises(EmbeddedServerError) as refused:
        Postgres(running.data_dir).start()
    assert refused.value.in_use


def test_starts_again_after_the_server_was_killed(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "durable")
    url = server.start()
    value(url, "CREATE TABLE kept AS SELECT 7 AS number")
    kill(server)
    assert server.start() == url
    assert value(url, "SELECT number FROM kept") == 7
    server.remove()


def test_starts_with_a_deep_path(tmp_path: Path) -> None:
    server = Postgres(tmp_path.joinpath(*["deep-and-直-赔"] * 8), durable=False)
    assert value(server.start(), "SELECT 1") == 1
    server.remove()


def test_a_failed_start_shows_the_log(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", durable=False, settings={"max_connections": "none"})
    with pytest.raises(EmbeddedServerError, match="max_connections"):
        server.start()
    server.remove()


def test_valkey_answers_only_with_its_password(valkey: Valkey) -> None:
    url = valkey.start()
    assert redis.Redis.from_url(url).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(url.replace(valkey.password, "guess")).ping()


def test_valkey_starts_again_on_its_port_and_is_empty(valkey: Valkey) -> None:
    url = valkey.start()
    redis.Redis.from_url(url).set("kept", "no")
    kill(valkey)
    assert valkey.start() == url
    assert redis.Redis.from_url(url).get("kept") is None


OWNER = """
    import sys, time
    from pathlib import Path
    from app.core.embedded import Postgres, Valkey
    postgres, valkey = Postgres(Path(sys.argv[1], "postgres"), durable=False), Valkey(Path(sys.argv[1], "valkey"))
    postgres.start(), valkey.start()
    print(postgres.pid, valkey.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """Another process with both servers running, and those servers."""
    argv = [sys.executable, "-c", textwrap.dedent(OWNER), str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        servers = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]
        yield process, servers
        process.kill()
    Postgres(tmp_path / "postgres").remove()
    Valkey(tmp_path / "valkey").remove()


def test_nothing_survives_an_owner_that_is_killed(owner: tuple[subprocess.Popen[str], list[psutil.Process]]) -> None:
    process, servers = owner
    process.kill()
    deadline = time.monotonic() + 30
    while not all(map(has_ended, servers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(map(has_ended, servers))


def test_servers_left_by_an_owner_and_its_guardian_are_replaced(
    owner: tuple[subprocess.Popen[str], list[psutil.Process]], tmp_path: Path
) -> None:
    process, servers = owner
    for child in psutil.Process(process.pid).children():
        if "guardian" in " ".join(child.cmdline()):
            child.kill()
    process.kill()
    process.wait()
    time.sleep(0.2)
    assert not any(map(has_ended, servers))
    with Postgres(tmp_path / "postgres", durable=False) as postgres, Valkey(tmp_path / "valkey") as valkey:
        assert value(postgres.url, "SELECT 1") == 1
        assert redis.Redis.from_url(valkey.url).ping()
        assert all(map(has_ended, servers))
